/**
 * A training run, from its data to the files in its folder.
 *
 * @module
 */

import { type CheckpointMetadata, openCheckpoint, type TrainingState } from "../checkpoint/checkpoint.ts";
import { modelTensors } from "../checkpoint/model_state.ts";
import { vocabularyDigest } from "../checkpoint/vocabulary_digest.ts";
import { writePth } from "../checkpoint/pth.ts";
import { assertSameOnAllRanks } from "../distributed/assert_same.ts";
import { broadcastTensors, restoreRandomStates } from "../distributed/broadcast_model.ts";
import { anyRank, broadcastObject, onRankZero } from "../distributed/collectives.ts";
import { SINGLE_PROCESS, type TrainingGroup } from "../distributed/process_group.ts";
import { Engine } from "../ffi/engine.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import { dryRunLargestBatch, refuseBatchOfOne } from "./dry_run.ts";
import { batchSizeOfRank, frozenAugmentation, stepsOfEpoch } from "./epoch_loader.ts";
import { openFeatureCache } from "./feature_cache.ts";
import { loadFirstWeights } from "./first_weights.ts";
import { EPOCH_START, epochsSinceBest, type Progress } from "./progress.ts";
import type { Recipe } from "./recipe.ts";
import { resumeTraining } from "./resume_training.ts";
import { resumeHint, RunCheckpoints } from "./run_checkpoints.ts";
import { RunFolder } from "./run_folder.ts";
import { logRun } from "./run_logs.ts";
import { checkpointMetadata, modelSettings } from "./run_model.ts";
import { noteLines, type NotingReporter } from "./noted_lines.ts";
import { noteData, noteResumption, warnIfNumericsDiffer } from "./run_notes.ts";
import { train } from "./train.ts";
import type { TrainingContext } from "./training_context.ts";
import type { TrainingReporter } from "./training_reporter.ts";
import type { TrainingSource } from "./training_source.ts";
import { digestExamples, keepDecoded, prepareTrainingData, type TrainingData } from "./training_data.ts";
import { InputError } from "../input_error.ts";
import { scoreOf, validate } from "./validate.ts";

/** Options of {@linkcode runTraining}. */
export interface TrainingRunOptions extends Omit<EngineOptions, "seed" | "gpu" | "initialization"> {
  readonly recipe: Recipe;
  /** The folder for the run's files; created if it is missing. */
  readonly out: string;
  /** Resume the run in `out`. */
  readonly resume?: boolean;
  /** Decides split, initial weights, order, augmentation, sampling and dropout. */
  readonly seed: number;
  /** A file with pretrained weights of the encoder. */
  readonly encoderWeights?: string | undefined;
  /** A checkpoint to start from. */
  readonly initialWeights?: string | undefined;
  /** The words that the vocabulary begins with: those of the checkpoint that is fine-tuned. */
  readonly initialWords?: readonly string[] | undefined;
  /** Steps between checkpoints within an epoch; by default every ten minutes. */
  readonly checkpointEvery?: number | undefined;
  /**
   * The processes that train together. Rank 0's model is everybody's, and it alone writes files.
   *
   * @default {SINGLE_PROCESS}
   */
  readonly group?: TrainingGroup | undefined;
  /**
   * Whether to write event files for TensorBoard.
   *
   * @default {false}
   */
  readonly tensorboard?: boolean | undefined;
  /** The folder for features of a frozen encoder. */
  readonly featuresFolder: string;
  readonly reporter: TrainingReporter;
  /** Ends the run after the current step and one checkpoint. */
  readonly signal: AbortSignal;
}

/** How a run ended. */
export interface TrainingRunResult {
  /** Why training ended. */
  readonly reason: "done" | "patience" | "interrupted";
  /** Completed epochs. */
  readonly epochs: number;
  /** The best checkpoint, if an epoch was completed. */
  readonly best?: string;
}

/** Larger than the seeds that people try one after the other. */
const SEEDS_BETWEEN_RANKS = 1_000_003;
/** On a GPU: about as often as the progress bar is drawn. */
const STEPS_PER_READ = 10;

/**
 * Trains on a source and writes `config.json`, `metrics.jsonl`, `steps.jsonl`, `best.safetensors`, `last.safetensors`, `gallery.json` and
 * `report.html`; with `exportPth` also `lrcn_resnet50_flickr8k.pth`.
 *
 * @throws {InputError} If data, device, weights, memory or folder cannot be used. A new run that did not start leaves
 * nothing behind.
 */
export async function runTraining(source: TrainingSource, options: TrainingRunOptions): Promise<TrainingRunResult> {
  const reporter = noteLines(options.reporter);
  const run = await prepareRun(source, { ...options, reporter });
  await using model = await openModel(run);
  using data = await openData(run, model);
  model.keepFolder();
  return await fit(run, model, data);
}

/** The options of a run, whose lines are kept. */
interface PreparedOptions extends TrainingRunOptions {
  readonly reporter: NotingReporter;
}

/** A run before its model is opened. */
interface Run {
  readonly source: TrainingSource;
  readonly options: PreparedOptions;
  readonly group: TrainingGroup;
  readonly folder: RunFolder;
  readonly data: TrainingData;
  readonly metadata: CheckpointMetadata;
}

/** Splits, tokenizes and encodes the captions, and checks that all ranks work on the same. */
async function prepareRun(source: TrainingSource, options: PreparedOptions): Promise<Run> {
  const { recipe, seed, resume = false, group = SINGLE_PROCESS } = options;
  const { dataset } = source;
  const data = prepareTrainingData(dataset, recipe, seed, options.initialWords);
  await assertSameOnAllRanks(group, {
    recipe,
    seed,
    resume,
    "the captions": dataset.fingerprint,
    "the vocabulary": data.vocabulary.words,
    "the split": await digestExamples(data.splits, ""),
  });
  batchSizeOfRank(recipe.batchSize, group);
  const model = modelSettings(recipe, data.vocabulary.size);
  const metadata = checkpointMetadata(dataset, recipe, data, { model, seed });
  return { source, options, group, folder: new RunFolder(options.out), data, metadata };
}

/** An open model and the locked folder of its run. */
interface Model extends AsyncDisposable {
  readonly engine: Engine;
  /** Whether the folder has a checkpoint to resume from. */
  readonly resuming: boolean;
  /** Keeps a new run's folder, which is otherwise removed with the model. */
  keepFolder(): void;
}

/** Opens the engine, creates or locks the run's folder, and loads the first weights of a new run. */
async function openModel({ source, options, group, folder, data, metadata }: Run): Promise<Model> {
  const { recipe, seed, resume = false, encoderWeights, initialWeights, initialWords, reporter } = options;
  await using stack = new AsyncDisposableStack();
  const engine = stack.use(
    await Engine.open(metadata.model, {
      ...options,
      // Each rank has its own dropout and sampling; it gets rank 0's parameters later.
      seed: seed + group.rank * SEEDS_BETWEEN_RANKS,
      gpu: group.localRank,
      initialization: recipe.initialization,
    }),
  );
  const { device, precision, threads } = engine;
  await assertSameOnAllRanks(group, { device, precision });
  const undo = resume ? undefined : await onRankZero(group, () =>
    folder.create({
      recipe,
      seed,
      device,
      precision,
      threads,
      encoderWeights: encoderWeights ?? null,
      initialWeights: initialWeights ?? null,
      dataset: source.origin,
      datasetFingerprint: source.dataset.fingerprint,
      vocabularySize: data.vocabulary.size,
      initialWords: initialWords ?? null,
    }));
  stack.use(undo);
  stack.use(await onRankZero(group, () => folder.lock()));
  if (resume && group.rank === 0) await folder.sweep();
  const resuming = await broadcastObject(group, async () => resume && await folder.hasLast());
  if (!resuming) {
    const { vocabulary } = data;
    const note = (line: string) => reporter.note(line);
    await onRankZero(
      group,
      () =>
        loadFirstWeights(engine, {
          ...{ encoderWeights, initialWeights, initialWords, vocabulary, note },
          embeddingStd: recipe.embeddingStd,
        }),
    );
  }
  const owned = stack.move();
  return { engine, resuming, keepFolder: () => void undo?.move(), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The open images and features, and the position to train from. */
interface Data extends Disposable {
  readonly context: TrainingContext;
  /** What a checkpoint to resume from must have in common with this run. */
  readonly training: Pick<TrainingState, "settings" | "seed" | "examples">;
  /** Where to train from, if not from the start. */
  readonly from: Progress | undefined;
  /** The last completed epoch's metrics. */
  readonly metrics: CheckpointMetadata["metrics"];
}

/** Opens images and features, loads a checkpoint to resume from, and tries the largest batch. */
async function openData(run: Run, { engine, resuming }: Model): Promise<Data> {
  const { source, options, group, folder, data, metadata } = run;
  const { recipe, seed, resume, reporter, signal } = options;
  using stack = new DisposableStack();
  const images = stack.use(await source.openImages({ engine, recipe, reporter, signal }));
  const splits = keepDecoded(data.splits, images.examples);
  refuseBatchOfOne(splits.train.length, recipe);
  noteData({ dataset: source.dataset, data: { ...data, splits }, images, recipe, seed, engine, reporter });
  const training = { settings: { ...recipe }, seed, examples: await digestExamples(splits, images.fingerprint) };
  await assertSameOnAllRanks(group, { "the images": training.examples });

  const resumed = resuming
    ? await broadcastObject(group, () => resumeTraining(engine, folder.file("last"), { ...metadata, training }))
    : undefined;
  const from = resumed?.progress;
  if (resume) noteResumption(recipe, from, reporter);
  if (resume && group.rank === 0) warnIfNumericsDiffer(await folder.readConfig(), engine, reporter);
  const context = {
    engine,
    recipe,
    seed,
    vocabulary: data.vocabulary,
    splits,
    images,
    metadata,
    pretrained: (options.encoderWeights ?? options.initialWeights) !== undefined,
    group,
  };
  await dryRunLargestBatch(context, splits.train, batchSizeOfRank(recipe.batchSize, group));
  await broadcastTensors(engine, group, ["parameter", "buffer", "optimizer"]);
  if (resuming) await restoreOtherRanks(engine, folder.file("last"), group);
  await group.join(engine);

  const completed = from?.validationScores.length ?? 0;
  const frozenFeatures = completed < recipe.frozenEpochs
    ? stack.use(
      await openFeatureCache(engine, images, {
        folder: options.featuresFolder,
        imageSize: recipe.imageSize,
        flips: frozenAugmentation(recipe) === "flip",
        group,
        onProgress: (done, total) => reporter.progress("Computing features of the frozen encoder", done, total),
        signal,
      }),
    )
    : undefined;
  const owned = stack.move();
  return {
    context: { ...context, frozenFeatures },
    training,
    from,
    metrics: resumed?.metrics ?? {},
    [Symbol.dispose]: () => owned.dispose(),
  };
}

/** Restores the random state of the ranks after the first. */
async function restoreOtherRanks(engine: Engine, path: string, group: TrainingGroup): Promise<void> {
  if (group.worldSize === 1) return;
  using checkpoint = group.rank === 0 ? await openCheckpoint(path) : undefined;
  await restoreRandomStates(engine, group, (name) => checkpoint?.tensors.get(name)?.read());
}

/** Trains, and saves the run. */
async function fit(
  run: Run,
  { engine }: Model,
  { context, training, from, metrics }: Data,
): Promise<TrainingRunResult> {
  const { folder, group, options, metadata } = run;
  const { recipe, signal, checkpointEvery, tensorboard = false } = options;
  using logs = group.rank > 0 ? undefined : await logRun(folder, {
    from: { epoch: (from?.validationScores.length ?? 0) + 1, step: from?.step ?? 0 },
    steps: stepsOfEpoch(context),
    tensorboard,
    reporter: options.reporter,
  });
  const reporter = logs ?? options.reporter;
  const checkpoints = await RunCheckpoints.open({
    context,
    engine,
    folder,
    metadata: { ...metadata, metrics },
    training,
    from,
    reporter,
    noted: options.reporter.lines,
    checkpointEvery,
  });
  const start = options.initialWeights !== undefined && isUnscored(from)
    ? await validateStart(context, checkpoints, options)
    : from;
  const { reason, progress } = await train(context, {
    from: start,
    checkpoints,
    onStep: (report) => reporter.step(report),
    signal,
    readEvery: engine.device === "cuda" ? Math.min(STEPS_PER_READ, checkpointEvery ?? Infinity) : 1,
  });
  const epochs = progress.validationScores.length;
  if (reason === "interrupted") {
    await checkpoints.saveProgress(progress);
    reporter.warn(`Stopped in epoch ${epochs + 1} after step ${progress.step}; ${resumeHint(folder)}`);
  }
  if (reason === "patience") {
    reporter.warn(`Stopped early: no better validation score for ${recipe.patience} epochs`);
  }
  if (epochs > 0 && epochsSinceBest(progress) === epochs) {
    reporter.warn("No epoch was better than the model that training started from, which stays the best");
  }
  if (recipe.exportPth && epochs > 0 && group.rank === 0) {
    await writePth(folder.file("pth"), await modelTensors(engine, ["parameter", "buffer"]), {
      vocabularyDigest: await vocabularyDigest(metadata.vocabulary),
    });
  }
  return epochs > 0 ? { reason, epochs, best: folder.file("best") } : { reason, epochs };
}

/** Whether nothing was trained yet, and the model to start from has no score: a run may be stopped while it is validated. */
function isUnscored(from: Progress | undefined): boolean {
  return from === undefined || (from.validationScores.length === 0 && from.step === 0 && from.startScore === undefined);
}

/**
 * Scores the model that training starts from: if no epoch is better, it stays the best.
 *
 * @throws {InputError} If its loss is not finite.
 */
async function validateStart(
  context: TrainingContext,
  checkpoints: RunCheckpoints,
  { reporter, signal }: TrainingRunOptions,
): Promise<Progress | undefined> {
  const { frozenFeatures: features, splits, recipe } = context;
  const validation = await validate(context, splits.validation, { features, signal });
  if (await anyRank(context.group, signal.aborted)) return undefined;
  if (!Number.isFinite(validation.validationLoss)) {
    throw new InputError(
      `Cannot start from this model: its validation loss is ${validation.validationLoss}; choose another`,
    );
  }
  reporter.note(`Before: validation BLEU-4 ${validation.bleu4.toFixed(3)}, CIDEr ${validation.cider.toFixed(3)}`);
  await checkpoints.saveStart(validation);
  return { validationScores: [], startScore: scoreOf(validation, recipe.bestBy), ...EPOCH_START };
}
