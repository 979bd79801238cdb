/**
 * A training run from its data to the files of its folder.
 *
 * @module
 */

import { join } from "node:path";
import { type CheckpointMetadata, saveCheckpoint } from "../checkpoint/checkpoint.ts";
import { loadEncoderWeights } from "../checkpoint/encoder_weights.ts";
import { fileErrorReason } from "../checkpoint/file_error.ts";
import { modelTensors } from "../checkpoint/model_state.ts";
import { writePth } from "../checkpoint/pth.ts";
import { Engine } from "../ffi/engine.ts";
import type { EngineOptions, ModelSettings } from "../ffi/settings.ts";
import { InputError } from "../input_error.ts";
import type { Dataset } from "./dataset.ts";
import type { ImageCache } from "./image_cache.ts";
import { type Recipe, shortSide } from "./recipe.ts";
import { type EpochMetrics, type StepReport, train, type TrainResult } from "./train.ts";
import { keepDecoded, prepareTrainingData, type TrainingData } from "./training_data.ts";

/** Images that a run reads its pixels from. */
export type TrainingImages = Pick<ImageCache, "photographs" | "broken" | "read"> & Disposable;

/** Where a run's captions and pixels come from. */
export interface TrainingSource {
  /** Photographs and captions. */
  readonly dataset: Dataset;
  /** Makes the pixels ready. */
  openImages(
    options: {
      readonly engine: Engine;
      readonly recipe: Recipe;
      readonly reporter: Reporter;
      readonly signal: AbortSignal;
    },
  ): Promise<TrainingImages>;
}

/** Where a run tells what it does. */
export interface Reporter {
  /** A line for the user. */
  note(line: string): void;
  /** Something counted is under way. */
  progress(task: string, done: number, total: number): void;
  /** A training step is done. */
  step(report: StepReport): void;
  /** An epoch is done. */
  epoch(metrics: EpochMetrics, best: boolean): void;
}

/** What a run is told. */
export interface TrainingRunOptions extends EngineOptions {
  /** The settings. */
  readonly recipe: Recipe;
  /** The folder that gets the run's files; made if it is not there. */
  readonly out: string;
  /** Decides the split, the initial weights, the order and the dropout. */
  readonly seed: number;
  /** A file with torchvision's ResNet-50, or undefined for a CNN from scratch. */
  readonly encoderWeights?: string | undefined;
  /** Where it tells what it does. */
  readonly reporter: Reporter;
  /** Ends the run after the step in progress and one checkpoint. */
  readonly signal: AbortSignal;
}

/** How a run ended. */
export interface TrainingRunResult extends TrainResult {
  /** The best checkpoint, if an epoch was completed. */
  readonly best?: string;
}

/**
 * Trains on a source and writes `config.json`, `metrics.jsonl`, `best.safetensors`, `last.safetensors` and, in the
 * notebook recipe, `lrcn_resnet50_flickr8k.pth`.
 *
 * @param source Captions and pixels.
 * @param options What is to be done.
 * @returns How the run ended.
 * @throws {InputError} If data, device, weights or folder cannot be used. The folder is made when all else is in order.
 */
export async function runTraining(source: TrainingSource, options: TrainingRunOptions): Promise<TrainingRunResult> {
  const { recipe, out, seed, reporter, signal } = options;
  await refuseUsedFolder(out);
  const data = prepareTrainingData(source.dataset, recipe, seed);
  const model = modelSettings(recipe, data, reporter);
  using engine = await Engine.open(model, { ...options, zeroPadding: recipe.name !== "notebook" });
  if (options.encoderWeights !== undefined) {
    const count = await loadEncoderWeights(engine, options.encoderWeights);
    reporter.note(`CNN: ${count} tensors from ${options.encoderWeights}, its classifier left out`);
  }
  using images = await source.openImages({ engine, recipe, reporter, signal });
  const splits = keepDecoded(data.splits, images.photographs);
  refuseBatchOfOne(splits.train.length, recipe);
  noteData(source.dataset, data, images, options, engine);

  await makeFolder(out);
  const config = {
    recipe,
    seed,
    device: engine.device,
    precision: engine.precision,
    threads: options.threads ?? 0,
    encoderWeights: options.encoderWeights ?? null,
    datasetFingerprint: source.dataset.fingerprint,
    examples: { train: splits.train.length, validation: splits.validation.length, test: splits.test.length },
    vocabularySize: data.vocabulary.size,
  };
  await Deno.writeTextFile(join(out, "config.json"), `${JSON.stringify(config, null, 2)}\n`);

  const best = join(out, "best.safetensors");
  let metadata = checkpointMetadata(source.dataset, recipe, data, model);
  const saveLast = async () => {
    const tensors = await modelTensors(engine, ["parameter", "buffer", "optimizer", "random"]);
    await saveCheckpoint(join(out, "last.safetensors"), { metadata, tensors });
  };
  const result = await train({ engine, recipe, splits, images, seed }, {
    signal,
    onStep: (report) => reporter.step(report),
    onEpoch: async (metrics, isBest) => {
      const { epoch, trainLoss, validationLoss } = metrics;
      metadata = { ...metadata, epoch, metrics: { trainLoss, validationLoss } };
      if (isBest) {
        await saveCheckpoint(best, { metadata, tensors: await modelTensors(engine, ["parameter", "buffer"]) });
      }
      await saveLast();
      await Deno.writeTextFile(join(out, "metrics.jsonl"), `${JSON.stringify(metrics)}\n`, { append: true });
      reporter.epoch(metrics, isBest);
    },
  });
  if (result.reason === "interrupted") {
    await saveLast();
    reporter.note(`Stopped in epoch ${result.epochs + 1}: ${join(out, "last.safetensors")} holds what was learnt`);
  }
  if (result.reason === "patience") {
    reporter.note(`Stopped: the validation loss has not fallen for ${recipe.patience} epochs`);
  }
  if (recipe.name === "notebook" && result.epochs > 0) {
    await writePth(join(out, "lrcn_resnet50_flickr8k.pth"), await modelTensors(engine, ["parameter", "buffer"]));
  }
  return result.epochs > 0 ? { ...result, best } : result;
}

/** The CNN's last layers see one pixel of an image of 32: BatchNorm has no variance where the batch is one image too. */
function refuseBatchOfOne(examples: number, { batchSize, imageSize, epochs, frozenEpochs }: Recipe): void {
  if (imageSize > 32 || frozenEpochs >= epochs || (batchSize > 1 && examples % batchSize !== 1)) return;
  throw new InputError(
    `Cannot train: ${examples} examples in batches of ${batchSize} leave a batch of one image, too few for BatchNorm at ` +
      `${imageSize} pixels; change --batch-size, or give an --image-size over 32`,
  );
}

function modelSettings(recipe: Recipe, data: TrainingData, reporter: Reporter): ModelSettings {
  const words = data.vocabulary.size;
  if (recipe.minVocabulary > 0 && words > recipe.minVocabulary) {
    reporter.note(`The dataset has ${words} words: the output layer gets as many rows, not ${recipe.minVocabulary}`);
  }
  const { embedSize, hiddenSize, languageLayers, fusionLayers, inject, encoderWidth, encoderBlocks, dropout } = recipe;
  const vocabularySize = Math.max(words, recipe.minVocabulary);
  return {
    vocabularySize,
    embedSize,
    hiddenSize,
    languageLayers,
    fusionLayers,
    inject,
    encoderWidth,
    encoderBlocks,
    dropout,
  };
}

function checkpointMetadata(
  dataset: Dataset,
  recipe: Recipe,
  data: TrainingData,
  model: ModelSettings,
): CheckpointMetadata {
  const { imageSize, maxWords, beam } = recipe;
  // The notebook's model never sees the last of its 30 words as an input: it writes 29.
  const decoding = recipe.name === "notebook"
    ? { firstWord: data.firstWord, maxWords: maxWords - 1, beam }
    : { maxWords, beam };
  return {
    formatVersion: 1,
    recipe: recipe.name,
    model,
    preprocessing: { imageSize, shortSide: shortSide(imageSize) },
    vocabulary: data.vocabulary.words,
    decoding,
    datasetFingerprint: dataset.fingerprint,
    epoch: 0,
    metrics: {},
  };
}

function noteData(
  dataset: Dataset,
  data: TrainingData,
  images: TrainingImages,
  options: TrainingRunOptions,
  engine: Engine,
): void {
  const { recipe, reporter, encoderWeights } = options;
  const { train, validation, test, leftOut } = data.splits;
  const unit = recipe.name === "notebook" ? "captions" : "photographs";
  reporter.note(
    `Data: ${dataset.photographs.length} photographs, ${dataset.rows.length} captions; ${unit} in train ${train.length}, ` +
      `validation ${validation.length}, test ${test.length}; ${data.vocabulary.size} words`,
  );
  if (dataset.missing.length > 0) {
    reporter.note(
      `Left out: ${dataset.missing.length} images that are not there, the first is '${dataset.missing[0]}'`,
    );
  }
  if (images.broken.length > 0) {
    const [first] = images.broken;
    reporter.note(`Left out: ${images.broken.length} broken images, the first is '${first?.path}': ${first?.reason}`);
  }
  if (leftOut > 0) reporter.note(`Left out: ${leftOut} photographs that are in no official list`);
  reporter.note(`Model: ${recipe.name} recipe on ${engine.device} in ${engine.precision}`);
  if (encoderWeights === undefined && recipe.name !== "sample") {
    reporter.note(
      "No pretrained CNN: it is trained from scratch, and captions will be poor; give ImageNet weights by --encoder-weights FILE",
    );
  }
}

async function refuseUsedFolder(out: string): Promise<void> {
  try {
    await Deno.stat(join(out, "config.json"));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw folderError("use", out, error);
  }
  throw new InputError(`Cannot train into '${out}': it holds a run already; choose another folder by --out`);
}

async function makeFolder(out: string): Promise<void> {
  try {
    await Deno.mkdir(out, { recursive: true });
  } catch (error) {
    throw folderError("create", out, error);
  }
}

function folderError(action: string, out: string, error: unknown): unknown {
  if (error instanceof Deno.errors.NotCapable) return error;
  const reason = fileErrorReason(error);
  return new InputError(`Cannot ${action} the folder '${out}': ${reason}; choose another by --out`, { cause: error });
}
