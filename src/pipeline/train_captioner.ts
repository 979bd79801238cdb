import type { TrainingReporter } from "./training_reporter.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import { join } from "node:path";
import type { DatasetOptions } from "../data/dataset.ts";
import { refuseFrozenRandomEncoder } from "./dry_run.ts";
import { readSource } from "./file_source.ts";
import { fineTuningRecipe, readInitialModel, refuseWithInitialModel } from "./initial_model.ts";
import { makeRecipe, type Recipe } from "./recipe.ts";
import { runTraining, type TrainingRunResult } from "./run.ts";

/** Options of {@linkcode trainCaptioner}; `data` or `captions` is required. */
export interface TrainCaptionerOptions extends DatasetOptions, Omit<EngineOptions, "initialization"> {
  /** The folder for the run's files: `best.safetensors`, `last.safetensors`, `metrics.jsonl`, `config.json`. */
  readonly out: string;
  /**
   * The folder for decoded images and the features of a frozen encoder.
   *
   * @default {"cache" in `out`}
   */
  readonly cache?: string;
  /**
   * The preset of the settings.
   *
   * @default {"lrcn"}
   */
  readonly recipe?: "lrcn" | "notebook";
  /**
   * Settings to change; `deno task train --help` explains them.
   *
   * @default {{}}
   */
  readonly settings?: Partial<Omit<Recipe, "name">>;
  /**
   * A file of the encoder's ImageNet weights, `.pth` or `.safetensors`.
   *
   * @default {random weights, whose captions of photos will be poor}
   */
  readonly encoderWeights?: string;
  /**
   * A checkpoint to fine-tune. Architecture, preprocessing and tokenizer are its own, and words that occur twice extend its
   * vocabulary; `encoderWeights` and the notebook recipe cannot be combined with it.
   *
   * @default {none: a new model}
   */
  readonly initFrom?: string;
  /**
   * Resume the run in `out`.
   *
   * @default {false}
   */
  readonly resume?: boolean;
  /**
   * Use at most this many images, chosen at random.
   *
   * @default {all}
   */
  readonly maxImages?: number;
  /**
   * Write event files for TensorBoard into `out`.
   *
   * @default {false}
   */
  readonly tensorboard?: boolean;
  /**
   * Receives messages, progress, steps and epochs.
   *
   * @default {none}
   */
  readonly reporter?: Partial<TrainingReporter>;
  /**
   * Ends training after the current step and one checkpoint.
   *
   * @default {never}
   */
  readonly signal?: AbortSignal;
}

/**
 * Trains a captioner on images with captions, as `deno task train --data` does.
 *
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
 *   // Tiny, for this example. For photos leave these out and give `encoderWeights`.
 *   settings: { epochs: 1, minCount: 1, imageSize: 32, encoderWidth: 8, encoderBlocks: [1, 1, 1, 1], hiddenSize: 8 },
 *   reporter: { epoch: ({ epoch, validationLoss }) => assert(epoch === 1 && validationLoss > 0) },
 * });
 * if (best === undefined) throw new Error("no epoch was completed");
 * using captioner = await Captioner.load(best);
 * const [caption] = await captioner.caption([
 *   await decodeImage(await Deno.readFile("docs/example/scenes/Images/item-000.png")),
 * ]);
 * assert.equal(typeof caption?.text, "string");
 * await Deno.remove(out, { recursive: true });
 * ```
 *
 * @example Fine-tuning a checkpoint: its words keep their ids
 * ```ts
 * import assert from "node:assert/strict";
 * import { openCheckpoint, trainCaptioner } from "@lrcn/lrcn";
 *
 * const initFrom = "docs/example/model.safetensors";
 * const out = await Deno.makeTempDir();
 * const { best = "" } = await trainCaptioner({ data: "docs/example/scenes", out, initFrom, settings: { epochs: 1 } });
 * using old = await openCheckpoint(initFrom);
 * using tuned = await openCheckpoint(best);
 * const words = old.metadata.vocabulary;
 * assert.deepEqual(tuned.metadata.vocabulary.slice(0, words.length), words);
 * await Deno.remove(out, { recursive: true });
 * ```
 */
export async function trainCaptioner(options: TrainCaptionerOptions): Promise<TrainingRunResult> {
  const { recipe: name = "lrcn", settings = {}, encoderWeights, out, seed = 0, reporter = {} } = options;
  const { cache = join(out, "cache"), signal = new AbortController().signal } = options;
  const { initFrom } = options;
  const initial = initFrom === undefined ? undefined : await readInitialModel(initFrom);
  if (initial !== undefined) refuseWithInitialModel({ encoderWeights, recipe: name });
  const recipe = initial === undefined
    ? makeRecipe(name, settings, { pretrained: encoderWeights !== undefined })
    : fineTuningRecipe(initial, settings);
  if (!options.resume) refuseFrozenRandomEncoder(recipe, (encoderWeights ?? initFrom) !== undefined);
  const source = await readSource({ ...options, seed, cacheFolder: join(cache, "images") });
  return await runTraining(source, {
    ...options,
    ...{ recipe, seed, signal, featuresFolder: join(cache, "features") },
    initialWeights: initFrom,
    initialWords: initial?.words,
    reporter: {
      note: (line) => reporter.note?.(line),
      warn: (line) => reporter.warn?.(line),
      progress: (task, done, total) => reporter.progress?.(task, done, total),
      step: (report) => reporter.step?.(report),
      epoch: (metrics, best) => reporter.epoch?.(metrics, best),
    },
  });
}
