/**
 * Training as one call, for programs.
 *
 * @module
 */

import type { EngineOptions } from "../ffi/settings.ts";
import { join } from "node:path";
import type { DatasetOptions } from "./dataset.ts";
import { readSource } from "./file_source.ts";
import { makeRecipe } from "./recipe.ts";
import { type Reporter, runTraining, type TrainingRunResult } from "./training_run.ts";

/** Options of {@linkcode trainCaptioner}: `data` or `captions` must be given. */
export interface TrainCaptionerOptions extends DatasetOptions, Omit<EngineOptions, "initialization"> {
  /** The folder that gets the run's files: `best.safetensors`, `last.safetensors`, `metrics.jsonl`, `config.json`. */
  readonly out: string;
  /**
   * The folder where decoded photographs and the features of a frozen CNN are kept.
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
   * A file with torchvision's ResNet-50, `.pth` or `.safetensors`.
   *
   * @default {a CNN from scratch, whose captions of photographs will be poor}
   */
  readonly encoderWeights?: string;
  /**
   * Whether the run in `out` is gone on with.
   *
   * @default {false}
   */
  readonly resume?: boolean;
  /**
   * The most photographs to use, drawn with the seed.
   *
   * @default {all}
   */
  readonly maxImages?: number;
  /**
   * Told of notes, progress, steps and epochs.
   *
   * @default {nothing is told}
   */
  readonly reporter?: Partial<Reporter>;
  /**
   * Ends the training after the step in progress and one checkpoint.
   *
   * @default {never}
   */
  readonly signal?: AbortSignal;
}

/**
 * Trains a captioner on photographs with captions, as `deno task train --data` does.
 *
 * @param options What to learn from, and how.
 * @returns How the training ended, and its best checkpoint.
 * @throws {InputError} If data, device, weights, memory, settings or folder cannot be used.
 *
 * @example Training, then captioning
 * ```ts ignore
 * import { Captioner, trainCaptioner } from "./mod.ts";
 *
 * const { best } = await trainCaptioner({
 *   data: "flickr8k",
 *   out: "runs/first",
 *   encoderWeights: "resnet50-0676ba61.pth",
 *   settings: { epochs: 10, languageLayers: 1 },
 *   reporter: { epoch: ({ epoch, cider }) => console.log(epoch, cider) },
 * });
 * if (best !== undefined) {
 *   using captioner = await Captioner.load(best);
 * }
 * ```
 */
export async function trainCaptioner(options: TrainCaptionerOptions): Promise<TrainingRunResult> {
  const { recipe: name = "lrcn", settings = {}, encoderWeights, out, seed = 0, reporter = {} } = options;
  const { cache = join(out, "cache"), signal = new AbortController().signal } = options;
  const recipe = makeRecipe(name, settings, { pretrained: encoderWeights !== undefined });
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
