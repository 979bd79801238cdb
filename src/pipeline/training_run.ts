/**
 * A training run from its data to the files of its folder.
 *
 * @module
 */

import { type CheckpointMetadata, openCheckpoint, saveCheckpoint } from "../checkpoint/checkpoint.ts";
import { modelTensors } from "../checkpoint/model_state.ts";
import { writePth } from "../checkpoint/pth.ts";
import { assertSameOnAllRanks } from "../distributed/assert_same.ts";
import { anyRank, broadcastObject, onRankZero } from "../distributed/collectives.ts";
import { broadcastTensors, gatherRandomStates, restoreRandomStates } from "../distributed/broadcast_model.ts";
import { type ProcessGroup, SINGLE_PROCESS, type TrainingGroup } from "../distributed/process_group.ts";
import { batchSizeOfRank } from "./epoch_plan.ts";
import { Engine } from "../ffi/engine.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import { quoted } from "../printable.ts";
import { InputError } from "../input_error.ts";
import { ciderReward } from "./cider_reward.ts";
import type { Dataset } from "../data/dataset.ts";
import { openFeatureCache } from "./feature_cache.ts";
import { describeRejected } from "../data/formats/caption_rows.ts";
import { loadFirstWeights } from "./first_weights.ts";
import { dryRunLargestBatch, refuseBatchOfOne } from "./dry_run.ts";
import type { ImageCache } from "./cache/image_cache.ts";
import { warnIfImageIgnored } from "./warn_if_image_ignored.ts";
import type { Recipe } from "./recipe.ts";
import { resumeTraining } from "./resume_training.ts";
import { type DatasetOrigin, type RunConfig, RunFolder } from "./run_folder.ts";
import { checkpointMetadata, modelSettings } from "./run_model.ts";
import type { Splits } from "../data/splits.ts";
import { type EpochMetrics, isOutOfPatience, type Progress, type StepReport, train } from "./train.ts";
import { makeGallery } from "./gallery.ts";
import { writeReport } from "../report/write_report.ts";
import { validate } from "./validate.ts";
import type { Reporter } from "../reporter.ts";
import { type EncodedExample, keepDecoded, prepareTrainingData, type TrainingData } from "./training_data.ts";

/** Images that a run reads its pixels from. */
export type TrainingImages =
  & Pick<ImageCache, "examples" | "broken" | "read" | "side" | "fingerprint">
  & Partial<Pick<ImageCache, "contents">>
  & Disposable;

/** Where a run's captions and pixels come from. */
export interface TrainingSource {
  /** Images and captions. */
  readonly dataset: Dataset;
  /** Where they were found, for going on later; null for drawn scenes. */
  readonly origin: DatasetOrigin | null;
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

/** Receives the messages and the progress of a training run. */
export interface TrainingReporter extends Reporter {
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
  /** Whether the run in that folder is gone on with. */
  readonly resume?: boolean;
  /** Decides the split, the initial weights, the order, what is seen of images, and the dropout. */
  readonly seed: number;
  /** A file of the encoder's weights, or undefined for an encoder from scratch. */
  readonly encoderWeights?: string | undefined;
  /** A checkpoint that the model begins with, or undefined for a new model. */
  readonly initialWeights?: string | undefined;
  /** Steps from one checkpoint to the next within an epoch; by default ten minutes pass. */
  readonly checkpointEvery?: number | undefined;
  /**
   * Whether a GPU records training steps and runs each as one launch.
   *
   * @default {false}
   */
  readonly cudaGraphs?: boolean | undefined;
  /**
   * Processes that train together. The first one's model is everybody's, and it alone writes files.
   *
   * @default {SINGLE_PROCESS}
   */
  readonly group?: TrainingGroup | undefined;
  /** Where features of a frozen CNN are kept. */
  readonly featuresFolder: string;
  /** Where it tells what it does. */
  readonly reporter: TrainingReporter;
  /** Ends the run after the step in progress and one checkpoint. */
  readonly signal: AbortSignal;
}

/** How a run ended. */
export interface TrainingRunResult {
  /** Why there were no more epochs. */
  readonly reason: "done" | "patience" | "interrupted";
  /** Epochs completed. */
  readonly epochs: number;
  /** The best checkpoint, if an epoch was completed. */
  readonly best?: string;
}

/** More than seeds that people try one after the other. */
const SEEDS_BETWEEN_RANKS = 1_000_003;
const CHECKPOINT_INTERVAL_MS = 600_000;
/** On a GPU; about what a bar shows in a second. */
const STEPS_PER_READ = 10;

/**
 * Trains on a source and writes `config.json`, `metrics.jsonl`, `best.safetensors`, `last.safetensors`, `gallery.json`, `report.html` and, in the
 * notebook recipe, `lrcn_resnet50_flickr8k.pth`.
 *
 * @param source Captions and pixels.
 * @param options What is to be done.
 * @returns How the run ended.
 * @throws {InputError} If data, device, weights, memory or folder cannot be used. A new run that did not begin leaves
 * nothing behind.
 */
export async function runTraining(source: TrainingSource, options: TrainingRunOptions): Promise<TrainingRunResult> {
  const { recipe, out, seed, resume, reporter, signal } = options;
  const { dataset } = source;
  const group = options.group ?? SINGLE_PROCESS;
  const isFirst = group.rank === 0;
  const folder = new RunFolder(out);
  const data = prepareTrainingData(dataset, recipe, seed);
  await assertSameOnAllRanks(group, {
    ...{ recipe, seed, resume: resume ?? false, "the captions": dataset.fingerprint },
    ...{ "the vocabulary": data.vocabulary.words, "the split": await digest(data.splits, "") },
  });
  batchSizeOfRank(recipe.batchSize, group);
  const model = modelSettings(recipe, data.vocabulary.size);
  using engine = await Engine.open(model, {
    ...options,
    // What each rank drops and draws is its own; its parameters will be the first one's.
    seed: seed + group.rank * SEEDS_BETWEEN_RANKS,
    gpu: group.localRank,
    initialization: recipe.name === "notebook" ? "drawn" : "zero-padding",
  });
  await assertSameOnAllRanks(group, { device: engine.device, precision: engine.precision });
  await using undo = resume ? undefined : await onRankZero(group, () =>
    folder.create({
      ...{ recipe, seed, device: engine.device, precision: engine.precision, threads: engine.threads },
      ...{ encoderWeights: options.encoderWeights ?? null, initialWeights: options.initialWeights ?? null },
      dataset: source.origin,
      ...{ datasetFingerprint: dataset.fingerprint, vocabularySize: data.vocabulary.size },
    }));
  using _lock = await onRankZero(group, () => folder.lock());
  if (resume && isFirst) await folder.sweep();
  const goesOn = await broadcastObject(group, async () => resume === true && await folder.hasLast());
  const { vocabulary } = data;
  if (!goesOn) {
    const note = (line: string) => reporter.note(line);
    await onRankZero(group, () => loadFirstWeights(engine, { ...options, vocabulary, note }));
  }
  using images = await source.openImages({ engine, recipe, reporter, signal });
  const splits = keepDecoded(data.splits, images.examples);
  refuseBatchOfOne(splits.train.length, recipe);
  noteData(source.dataset, { ...data, splits }, images, options, engine);

  const examples = await digest(splits, images.fingerprint);
  await assertSameOnAllRanks(group, { "the images": examples });
  const metadata = checkpointMetadata(dataset, recipe, data, { model, seed });
  const training = { settings: recipe, seed, examples };
  const resumed = goesOn
    ? await broadcastObject(group, () => resumeTraining(engine, folder.file("last"), { ...metadata, training }))
    : undefined;
  const from = resumed?.progress;
  if (resume) noteResumption(recipe, from, reporter);
  if (resume && isFirst) warnIfNumericsDiffer(await folder.readConfig(), engine, reporter);
  const reward = recipe.objective === "self-critical" ? ciderReward(splits.train) : undefined;
  const learns = { engine, recipe, splits, images, seed, metadata, vocabulary, reward };
  const run = { folder, engine, metadata: { ...metadata, metrics: resumed?.metrics ?? {} }, training, options };
  const share = { ...recipe, batchSize: batchSizeOfRank(recipe.batchSize, group) };
  await dryRunLargestBatch({ ...learns, recipe: share }, splits.train);
  await broadcastTensors(engine, group, ["parameter", "buffer", "optimizer"]);
  if (goesOn) await restoreRandomState(engine, folder.file("last"), group);
  await group.join(engine);
  using frozenFeatures = (from?.validationScores.length ?? 0) < recipe.frozenEpochs
    ? await computeFeatures(engine, images, options)
    : undefined;
  undo?.move();
  if (reward !== undefined && from === undefined) {
    const { cider, bleu4 } = await validate({ ...learns, features: frozenFeatures }, splits.validation, {
      signal,
      group,
    });
    if (!await anyRank(group, signal.aborted)) {
      reporter.note(`Before: validation BLEU-4 ${bleu4.toFixed(3)}, CIDEr ${cider.toFixed(3)}`);
    }
  }
  return await trainAndSave({ ...learns, frozenFeatures }, { ...run, from });
}

function noteResumption(recipe: Recipe, from: Progress | undefined, reporter: TrainingReporter): void {
  const done = from?.validationScores.length ?? 0;
  if (done >= recipe.epochs) return reporter.note(`All ${recipe.epochs} epochs are done`);
  if (from !== undefined && isOutOfPatience(recipe, from)) return;
  reporter.note(`Going on in epoch ${done + 1} after step ${from?.step ?? 0}`);
}

function warnIfNumericsDiffer(config: RunConfig, engine: Engine, reporter: TrainingReporter): void {
  for (const name of ["device", "precision", "threads"] as const) {
    if (engine[name] === config[name]) continue;
    reporter.note(
      `Warning: the run was begun with --${name} ${config[name]}; with ${engine[name]} it ends with other numbers`,
    );
  }
}

/** When the CNN learns. */
function stages({ epochs, frozenEpochs, trainableFrom }: Recipe): string {
  const part = trainableFrom === "conv1" ? "" : ` from ${trainableFrom}`;
  if (frozenEpochs >= epochs) return "the CNN stands still";
  if (frozenEpochs === 0) return `the CNN learns${part} from the first epoch`;
  return `the CNN stands still for ${frozenEpochs} of ${epochs} epochs, then learns${part}`;
}

/** What {@linkcode trainAndSave} needs beside the training. */
interface Run {
  readonly folder: RunFolder;
  readonly engine: Engine;
  readonly metadata: CheckpointMetadata;
  readonly training: Pick<NonNullable<CheckpointMetadata["training"]>, "settings" | "seed" | "examples">;
  readonly options: TrainingRunOptions;
  readonly from: Progress | undefined;
}

/** Trains, and keeps the run's files up to date. */
async function trainAndSave(learns: Parameters<typeof train>[0], run: Run): Promise<TrainingRunResult> {
  const { folder, engine, training, from } = run;
  const { recipe, reporter, signal, checkpointEvery } = run.options;
  let metadata = run.metadata;
  const examples = new Set(learns.splits.validation.map(({ example }) => example)).size;
  const pretrained = run.options.encoderWeights !== undefined;
  const group = run.options.group ?? SINGLE_PROCESS;
  const isFirst = group.rank === 0;
  const readEvery = engine.device === "cuda" ? Math.min(STEPS_PER_READ, checkpointEvery ?? Infinity) : 1;
  let saved = { at: performance.now(), step: from?.step ?? 0 };
  const lines = isFirst ? await folder.readMetrics(from?.validationScores.length ?? 0) : [];

  async function save(name: "last" | "best", checkpoint: Parameters<typeof saveCheckpoint>[1]): Promise<void> {
    try {
      await saveCheckpoint(folder.file(name), checkpoint);
    } catch (error) {
      if (!(error instanceof InputError) || !await folder.hasLast().catch(() => false)) throw error;
      const { message } = error;
      throw new InputError(`${message}; the former checkpoint is whole, ${howToGoOn(folder)}`, { cause: error });
    }
  }

  async function saveLast(progress: Progress): Promise<void> {
    const draws = await gatherRandomStates(engine, group);
    metadata = { ...metadata, epoch: progress.validationScores.length };
    if (isFirst) {
      const tensors = [...await modelTensors(engine, ["parameter", "buffer", "optimizer", "random"]), ...draws];
      await save("last", { metadata: { ...metadata, training: { ...training, ...progress } }, tensors });
    }
    saved = { at: performance.now(), step: progress.step };
  }

  async function report(isBest: boolean): Promise<void> {
    try {
      if (isBest) {
        const gallery = await makeGallery({ ...learns, engine }, learns.splits.validation);
        await folder.writeText("gallery", JSON.stringify(gallery));
      }
      await writeReport([folder.path], folder.file("report"));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      reporter.note(`Warning: ${error.message}; the training goes on without a report`);
    }
  }

  const result = await train(learns, {
    ...{
      from,
      signal,
      readEvery,
      group,
      cudaGraphs: run.options.cudaGraphs ?? false,
    },
    onStep: (report) => reporter.step(report),
    async onProgress(progress) {
      const due = checkpointEvery === undefined
        ? performance.now() - saved.at >= CHECKPOINT_INTERVAL_MS
        : progress.step - saved.step >= checkpointEvery;
      if (await anyRank(group, isFirst && due)) await saveLast(progress);
    },
    // BatchNorm's statistics are each rank's own until then.
    onTrained: () => broadcastTensors(engine, group, ["buffer"]),
    async onEpoch(metrics, progress, isBest) {
      const { epoch, trainLoss, validationLoss, mismatchedImageLossGap, distinctFraction, bleu4, cider } = metrics;
      metadata = {
        ...metadata,
        epoch,
        metrics: { trainLoss, validationLoss, mismatchedImageLossGap, distinctFraction, bleu4, cider },
      };
      if (isFirst && isBest) {
        const tensors = await modelTensors(engine, ["parameter", "buffer"]);
        await save("best", { metadata, tensors });
      }
      // The checkpoint comes last: a run that is killed before goes on from an older one and writes the same again.
      lines.push(JSON.stringify(metrics));
      if (isFirst) await folder.writeMetrics(lines);
      await saveLast(progress);
      reporter.epoch(metrics, isBest);
      if (isFirst) await report(isBest);
      const warning = warnIfImageIgnored(metrics, { examples, recipe, pretrained });
      if (warning !== undefined) reporter.note(warning);
    },
  });
  const { reason, progress } = result;
  const epochs = progress.validationScores.length;
  if (reason === "interrupted") {
    await saveLast(progress);
    reporter.note(`Stopped in epoch ${epochs + 1} after step ${progress.step}; ${howToGoOn(folder)}`);
  }
  if (reason === "patience") {
    reporter.note(`Stopped: validation has not become better for ${recipe.patience} epochs`);
  }
  if (recipe.name === "notebook" && epochs > 0 && isFirst) {
    await writePth(folder.file("notebook"), await modelTensors(engine, ["parameter", "buffer"]));
  }
  return epochs > 0 ? { reason, epochs, best: folder.file("best") } : { reason, epochs };
}

/** Lets the ranks after the first go on with their draws. */
async function restoreRandomState(engine: Engine, path: string, group: ProcessGroup): Promise<void> {
  if (group.worldSize === 1) return;
  using checkpoint = group.rank === 0 ? await openCheckpoint(path) : undefined;
  await restoreRandomStates(engine, group, (name) => checkpoint?.tensors.get(name)?.read());
}

function howToGoOn({ path }: RunFolder): string {
  return `go on with: deno task train --resume '${path}'`;
}

async function computeFeatures(engine: Engine, images: TrainingImages, options: TrainingRunOptions) {
  const { recipe, reporter, signal, featuresFolder } = options;
  return await openFeatureCache(engine, images, {
    folder: featuresFolder,
    imageSize: recipe.imageSize,
    group: options.group ?? SINGLE_PROCESS,
    onProgress: (done, total) => reporter.progress("Computing features of the frozen CNN", done, total),
    signal,
  });
}

/** Of the examples that are learnt from and validated on, in their order, and of their pixels. */
async function digest({ train, validation }: Splits<EncodedExample>, pixels: string): Promise<string> {
  const names = [train, validation].map((examples) => examples.map(({ example }) => example.name));
  const bytes = new TextEncoder().encode(JSON.stringify([...names, pixels]));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

function noteData(
  dataset: Dataset,
  data: TrainingData,
  images: TrainingImages,
  options: TrainingRunOptions,
  engine: Engine,
): void {
  const { recipe, reporter } = options;
  const { splits } = data;
  const { train, validation, test, skipped } = splits;
  const unit = recipe.name === "notebook" ? "captions" : "examples";
  const official = recipe.name !== "notebook" && dataset.officialSplits !== undefined;
  const origin = dataset.format === undefined
    ? ""
    : `; ${dataset.format} format, split ${official ? "by its authors" : "at random"}`;
  reporter.note(
    `Data: ${dataset.examples.length} images, ${dataset.rows.length} captions; ${unit} in train ${train.length}, ` +
      `validation ${validation.length}, test ${test.length}; ${data.vocabulary.size} words${origin}`,
  );
  const [rejected] = dataset.rejected ?? [];
  if (rejected !== undefined) {
    reporter.note(
      `Left out: ${dataset.rejected?.length} rows that cannot be used, the first: ${describeRejected(rejected)}`,
    );
  }
  if (dataset.missing.length > 0) {
    reporter.note(
      `Left out: ${dataset.missing.length} images that are not there, the first is ${quoted(dataset.missing[0] ?? "")}`,
    );
  }
  if (images.broken.length > 0) {
    const [first] = images.broken;
    reporter.note(
      `Left out: ${images.broken.length} broken images, the first is ${quoted(first?.path ?? "")}: ${first?.reason}`,
    );
  }
  if (skipped > 0) reporter.note(`Left out: ${skipped} images that are in no official list`);
  if (recipe.minVocabulary > 0 && data.vocabulary.size > recipe.minVocabulary) {
    reporter.note(
      `The dataset has ${data.vocabulary.size} words: the output layer gets as many rows, not ${recipe.minVocabulary}`,
    );
  }
  reporter.note(`Model: ${recipe.name} recipe on ${engine.device} in ${engine.precision}; ${stages(recipe)}`);
}
