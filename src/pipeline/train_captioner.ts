/**
 * Training as one call, for programs.
 *
 * @module
 */

import type { TrainingReporter } from "./training_run.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import { join } from "node:path";
import type { DatasetOptions } from "../data/dataset.ts";
import { refuseFrozenRandomEncoder } from "./dry_run.ts";
import { readSource } from "./file_source.ts";
import { makeRecipe } from "./recipe.ts";
import { runTraining, type TrainingRunResult } from "./training_run.ts";

/** Options of {@linkcode trainCaptioner}: `data` or `captions` must be given. */
export interface TrainCaptionerOptions extends DatasetOptions, Omit<EngineOptions, "initialization"> {
  /** The folder that gets the run's files: `best.safetensors`, `last.safetensors`, `metrics.jsonl`, `config.json`. */
  readonly out: string;
  /**
   * The folder where decoded images and the features of a frozen CNN are kept.
   *
   * @default {"cache" in `out`}
   */
  readonly cache?: string;
  /**
   * What the settings begin with.
   *
   * @default {"lrcn"}
   */
  readonly recipe?: "lrcn" | "notebook";
  /**
   * Settings to change, by the names that `deno task train --help` explains.
   *
   * @default {{}}
   */
  readonly settings?: Readonly<Record<string, unknown>>;
  /**
   * A file of the encoder's ImageNet weights, `.pth` or `.safetensors`.
   *
   * @default {an encoder from scratch, whose captions of images will be poor}
   */
  readonly encoderWeights?: string;
  /**
   * Whether the run in `out` is gone on with.
   *
   * @default {false}
   */
  readonly resume?: boolean;
  /**
   * The most images to use, drawn with the seed.
   *
   * @default {all}
   */
  readonly maxImages?: number;
  /**
   * Told of notes, progress, steps and epochs.
   *
   * @default {nothing is told}
   */
  readonly reporter?: Partial<TrainingReporter>;
  /**
   * Ends the training after the step in progress and one checkpoint.
   *
   * @default {never}
   */
  readonly signal?: AbortSignal;
}

/**
 * Trains a captioner on images with captions, as `deno task train --data` does.
 *
 * @param options What to learn from, and how.
 * @returns How the training ended, and its best checkpoint.
 * @throws {InputError} If data, device, weights, memory, settings or folder cannot be used.
 *
 * @example Training, then captioning
 * ```ts
 * import assert from "node:assert/strict";
 * import { Captioner, decodeImage, trainCaptioner } from "@lrcn/lrcn";
 *
 * const out = await Deno.makeTempDir();
 * const { best } = await trainCaptioner({
 *   data: "docs/example/scenes",
 *   out,
 *   // As small as can be. For examples leave these out, and give `encoderWeights`.
 *   settings: { epochs: 1, minCount: 1, imageSize: 32, encoderWidth: 8, encoderBlocks: [1, 1, 1, 1], hiddenSize: 8 },
 *   reporter: { epoch: ({ epoch, validationLoss }) => assert(epoch === 1 && validationLoss > 0) },
 * });
 * if (best === undefined) throw new Error("no epoch was completed");
 * using captioner = await Captioner.load(best);
 * const [caption] = await captioner.caption([
 *   await decodeImage(await Deno.readFile("docs/example/scenes/Images/item-000.png")),
 * ]);
 * assert.equal(typeof caption?.caption, "string");
 * await Deno.remove(out, { recursive: true });
 * ```
 */
export async function trainCaptioner(options: TrainCaptionerOptions): Promise<TrainingRunResult> {
  const { recipe: name = "lrcn", settings = {}, encoderWeights, out, seed = 0, reporter = {} } = options;
  const { cache = join(out, "cache"), signal = new AbortController().signal } = options;
  const recipe = makeRecipe(name, settings, { pretrained: encoderWeights !== undefined });
  if (!options.resume) refuseFrozenRandomEncoder(recipe, encoderWeights !== undefined);
  const source = await readSource({ ...options, seed, cacheFolder: join(cache, "images") });
  return await runTraining(source, {
    ...options,
    ...{ recipe, seed, signal, featuresFolder: join(cache, "features") },
    reporter: {
      note: (line) => reporter.note?.(line),
      progress: (task, done, total) => reporter.progress?.(task, done, total),
      step: (report) => reporter.step?.(report),
      epoch: (metrics, best) => reporter.epoch?.(metrics, best),
    },
  });
}
