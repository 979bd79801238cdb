/**
 * The epoch loop.
 *
 * @module
 */

import { allReduceSum, anyRank } from "../distributed/collectives.ts";
import { type ProcessGroup, SINGLE_PROCESS } from "../distributed/process_group.ts";
import { batchSizeOfRank, shardedExamples, shardPlan } from "./epoch_plan.ts";
import type { Batch } from "../ffi/batch.ts";
import type { Engine } from "../ffi/engine.ts";
import type { TrainStepOptions } from "../ffi/settings.ts";
import { InputError } from "../input_error.ts";
import { planEpoch } from "./epoch_plan.ts";
import { type ExampleBatch, exampleBatches } from "./example_batches.ts";
import type { FeatureCache } from "./feature_cache.ts";
import type { ImageCache } from "./cache/image_cache.ts";
import { learningRates } from "./learning_rates.ts";
import { Mean } from "./mean.ts";
import { Random } from "../random.ts";
import type { Recipe } from "./recipe.ts";
import { type Reward, selfCriticalBatch } from "./self_critical.ts";
import type { Splits } from "../data/splits.ts";
import { StepQueue } from "./step_queue.ts";
import type { EncodedExample } from "./training_data.ts";
import { lossWeight, scoreOf, validate, type Validation, type ValidationSource } from "./validate.ts";

/** What is trained, and on what. */
export interface Training extends Omit<ValidationSource, "features"> {
  /** The model. */
  readonly engine: Pick<
    Engine,
    "trainStep" | "queueStep" | "stepResults" | "encode" | "evaluateStep" | "startDecoding"
  >;
  /** The settings. */
  readonly recipe: Recipe;
  /** The examples. */
  readonly splits: Pick<Splits<EncodedExample>, "train" | "validation">;
  /** Their pixels. */
  readonly images: Pick<ImageCache, "examples" | "read" | "side">;
  /** What the frozen CNN sees in them, for the epochs in which it is frozen. */
  readonly frozenFeatures?: Pick<FeatureCache, "read" | "size"> | undefined;
  /** What is wanted of captions, in self-critical training. */
  readonly reward?: Reward | undefined;
  /** Decides the order of the examples, what is seen of them, and what is drawn. */
  readonly seed: number;
}

/** Where a training stands. */
export interface Progress {
  /** What each completed epoch is judged by, lower is better. */
  readonly validationScores: readonly number[];
  /** Steps done of the next epoch. */
  readonly step: number;
  /** Sums over these steps. */
  readonly sums: { readonly loss: number; readonly lossWeight: number; readonly gradientNorm: number };
}

/** Numbers of an epoch, a line of `metrics.jsonl`. All but the last five are the same in each run with the same seed. */
export interface EpochMetrics extends Validation {
  /** From 1. */
  readonly epoch: number;
  /**
   * Mean cross-entropy of a word in nats (in the notebook recipe: mean of the batches' means). In self-critical training
   * the mean reward of the captions drawn, with a minus.
   */
  readonly trainLoss: number;
  /** Step size of the last step, the CNN's apart. */
  readonly learningRate: number;
  /** Step size of the CNN at the last step, 0 where it is frozen. */
  readonly encoderLearningRate: number;
  /** Mean 2-norm of the gradients before clipping. */
  readonly gradientNorm: number;
  /** Seconds of training and validation. */
  readonly seconds: number;
  /** Seconds of the validation alone. */
  readonly validationSeconds: number;
  /** Training captions a second. */
  readonly captionsPerSecond: number;
  /** Training images a second. */
  readonly imagesPerSecond: number;
  /** Share of the training time in which the step waited for its batch. */
  readonly dataWaitFraction: number;
}

/** What the progress bar shows after each step. */
export interface StepReport {
  /** The epoch, from 1. */
  readonly epoch: number;
  /** The last epoch before the CNN begins to learn, or of all: until then steps take alike. */
  readonly stageEnd: number;
  /** Steps of the epoch that are done. */
  readonly step: number;
  /** Steps of an epoch. */
  readonly steps: number;
  /** Mean loss of the epoch so far. */
  readonly loss: number;
  /** Step size of this step, the CNN's apart. */
  readonly learningRate: number;
  /** Step size of the CNN at this step, 0 where it is frozen. */
  readonly encoderLearningRate: number;
  /** 2-norm of this step's gradients before clipping. */
  readonly gradientNorm: number;
  /** Captions a second so far. */
  readonly captionsPerSecond: number;
  /** Share of the time spent waiting for data so far. */
  readonly dataWaitFraction: number;
}

/** What {@linkcode train} does besides. */
export interface TrainOptions {
  /**
   * Where to begin.
   *
   * @default {the first step}
   */
  readonly from?: Progress | undefined;
  /**
   * Steps from one reading of their numbers to the next.
   *
   * @default {1}
   */
  readonly readEvery?: number;
  /**
   * Whether a GPU records steps and runs each as one launch.
   *
   * @default {false}
   */
  readonly cudaGraphs?: boolean;
  /**
   * Processes that train together: the engine averages its gradients over them, and each works on its part of each batch.
   *
   * @default {SINGLE_PROCESS}
   */
  readonly group?: ProcessGroup;
  /** Called after each step, for the eye. */
  readonly onStep?: (report: StepReport) => void;
  /** Called where steps' numbers were read with where the training stands, before the next: the moment to save it. */
  readonly onProgress?: (progress: Progress) => Promise<void>;
  /** Called when the steps of an epoch are done, before its validation. */
  readonly onTrained?: () => Promise<void>;
  /** Called after each epoch; `best` says whether it is the best so far. */
  readonly onEpoch?: (metrics: EpochMetrics, progress: Progress, best: boolean) => Promise<void>;
  /** Ends the training after the step in progress. */
  readonly signal?: AbortSignal;
  /**
   * Milliseconds of a steady clock.
   *
   * @default {performance.now}
   */
  readonly now?: () => number;
}

/** How a training ended. */
export interface TrainResult {
  /** Why there were no more epochs. */
  readonly reason: "done" | "patience" | "interrupted";
  /** Where it stands. */
  readonly progress: Progress;
}

const NOTHING_DONE = { step: 0, sums: { loss: 0, lossWeight: 0, gradientNorm: 0 } };

/**
 * Trains a model for the recipe's epochs.
 *
 * @param training The model and its data.
 * @param options Where to begin, callbacks, signal, clock.
 * @returns How it ended.
 * @throws {InputError} If the loss or the gradient is no longer a number.
 */
export async function train(training: Training, options: TrainOptions = {}): Promise<TrainResult> {
  const { recipe, splits } = training;
  const { now = () => performance.now(), signal, group = SINGLE_PROCESS } = options;
  const stopped = () => anyRank(group, signal?.aborted ?? false);
  let progress: Progress = options.from ?? { validationScores: [], ...NOTHING_DONE };
  while (progress.validationScores.length < recipe.epochs) {
    if (isOutOfPatience(recipe, progress)) return { reason: "patience", progress };
    const start = now();
    const trained = await trainEpoch(training, progress, { ...options, now, group });
    progress = trained.progress;
    if (await stopped()) return { reason: "interrupted", progress };
    await options.onTrained?.();
    const features = isFrozen(recipe, trained.metrics.epoch) ? training.frozenFeatures : undefined;
    const trainedAt = now();
    const validation = await validate({ ...training, features }, splits.validation, { signal, group });
    if (await stopped()) return { reason: "interrupted", progress };
    if (!Number.isFinite(validation.validationLoss)) {
      const what = `the validation loss is ${validation.validationLoss} after epoch ${trained.metrics.epoch}`;
      throw diverged(what, isFrozen(recipe, trained.metrics.epoch));
    }
    progress = {
      validationScores: [...progress.validationScores, scoreOf(validation, recipe.bestBy)],
      ...NOTHING_DONE,
    };
    const { epoch, trainLoss, ...rest } = trained.metrics;
    const ended = now();
    const times = { seconds: (ended - start) / 1000, validationSeconds: (ended - trainedAt) / 1000 };
    const metrics = { epoch, trainLoss, ...validation, ...rest, ...times };
    await options.onEpoch?.(metrics, progress, epochsSinceBest(progress) === 0);
  }
  return { reason: "done", progress };
}

/** One pass over the training examples, in an order that seed and epoch decide, from where the progress stands. */
async function trainEpoch(
  training: Training,
  from: Progress,
  options: TrainOptions & Required<Pick<TrainOptions, "now" | "group">>,
) {
  const { engine, recipe, splits, seed, images } = training;
  const { now, signal, group } = options;
  const { validationScores } = from;
  const epoch = validationScores.length + 1;
  const frozen = isFrozen(recipe, epoch);
  const stageEnd = frozen && recipe.frozenEpochs < recipe.epochs ? recipe.frozenEpochs : recipe.epochs;
  const augmentation = frozen ? "none" : recipe.augmentation;
  const plan = planEpoch(splits.train.length, { seed, epoch, augmentation, margin: images.side - recipe.imageSize });
  const examplesPerStep = recipe.batchSize * recipe.gradientAccumulationSteps;
  const sharing = { ...group, batchSize: recipe.batchSize };
  const steps = Math.ceil(shardedExamples(splits.train.length, sharing) / examplesPerStep);
  const left = {
    order: plan.order.slice(from.step * examplesPerStep),
    crops: plan.crops.slice(from.step * examplesPerStep),
  };
  const source = {
    ...training,
    recipe: { ...recipe, batchSize: batchSizeOfRank(recipe.batchSize, group) },
    features: frozen ? training.frozenFeatures : undefined,
    strict: group.worldSize > 1,
  };
  const loss = new Mean(from.sums.loss, from.sums.lossWeight);
  const gradientNorm = new Mean(from.sums.gradientNorm, from.step);
  const queue = new StepQueue<StepNote>(engine, options.readEvery ?? 1);
  let [progress, begun] = [from, from.step];
  let [captions, seen, waited, stopping] = [0, 0, 0, false];
  const start = now();
  let asked = start;
  const drawing = new Random(seed * 100_003 + epoch).below(2 ** 32);

  async function account(done: Awaited<ReturnType<typeof queue.settle>>): Promise<void> {
    for (const [result, { rates, reward, parts }] of done) {
      for (const [name, value] of Object.entries({ loss: result.loss, gradient: result.gradientNorm })) {
        if (!Number.isFinite(value)) {
          throw diverged(`the ${name} is ${value} at epoch ${epoch}, step ${progress.step + 1}`, frozen);
        }
      }
      if (reward === undefined) loss.add(result.loss, lossWeight(recipe, result.words));
      else loss.add(-reward, 1);
      gradientNorm.add(result.gradientNorm, 1);
      captions += parts.captions;
      seen += parts.images;
      const sums = { loss: loss.sum, lossWeight: loss.weight, gradientNorm: gradientNorm.sum };
      progress = { validationScores, step: progress.step + 1, sums };
      const seconds = (now() - start) / 1000;
      options.onStep?.({
        ...{ epoch, stageEnd, step: progress.step, steps, loss: loss.value, ...rates },
        gradientNorm: result.gradientNorm,
        ...{ captionsPerSecond: group.worldSize * captions / seconds, dataWaitFraction: waited / 1000 / seconds },
      });
    }
    if (done.length === 0) return;
    await options.onProgress?.(progress);
    stopping = await anyRank(group, signal?.aborted ?? false);
  }

  for await (
    const parts of inGroups(
      exampleBatches(source, splits.train, shardPlan(left, sharing)),
      recipe.gradientAccumulationSteps,
    )
  ) {
    waited += now() - asked;
    if (stopping || (group.worldSize === 1 && signal?.aborted)) break;
    const rates = learningRates(recipe, { epoch, step: begun, steps, validationScores });
    const place = (drawing + begun * recipe.gradientAccumulationSteps) * group.worldSize + group.rank;
    const drawn = await sampleCaptions(training, parts, { seed: place, group });
    begun++;
    const step = { ...stepOptions(recipe, epoch), ...rates, cudaGraphs: options.cudaGraphs ?? false };
    const note = { rates, reward: drawn?.reward, parts: sizeOf(parts) };
    await account(await queue.run(drawn?.batches ?? parts, step, note));
    asked = now();
  }
  await account(await queue.settle());
  const seconds = (now() - start) / 1000;
  const [allCaptions = 0, allSeen = 0, allWaited = 0] = await allReduceSum(group, [
    captions,
    seen,
    waited / group.worldSize,
  ]);
  const metrics = {
    epoch,
    trainLoss: loss.value,
    ...learningRates(recipe, { epoch, step: steps - 1, steps, validationScores }),
    gradientNorm: gradientNorm.value,
    captionsPerSecond: seconds > 0 ? allCaptions / seconds : 0,
    imagesPerSecond: seconds > 0 ? allSeen / seconds : 0,
    dataWaitFraction: seconds > 0 ? allWaited / 1000 / seconds : 0,
  };
  return { progress, metrics };
}

/** What is kept of a step until its numbers are there. */
interface StepNote {
  readonly rates: ReturnType<typeof learningRates>;
  readonly reward: number | undefined;
  readonly parts: ReturnType<typeof sizeOf>;
}

function sizeOf(parts: readonly Batch[]) {
  return {
    captions: parts.reduce((sum, { imageOfRow }) => sum + imageOfRow.length, 0),
    images: parts.reduce((sum, part) => sum + part.images.count, 0),
  };
}

/** Captions that the model draws itself in place of people's, in self-critical training, and their mean reward. */
async function sampleCaptions(
  training: Training,
  parts: readonly ExampleBatch[],
  { seed, group }: { readonly seed: number; readonly group: ProcessGroup },
): Promise<{ readonly batches: readonly Batch[]; readonly reward: number } | undefined> {
  const { engine, recipe, vocabulary, metadata, reward } = training;
  if (recipe.objective !== "self-critical") return undefined;
  if (reward === undefined) throw new TypeError("Cannot train self-critically: there is no reward");
  const { samples, baseline } = recipe;
  const batches: Batch[] = [];
  const rewards = new Mean();
  for (const [index, { images, examples }] of parts.entries()) {
    const options = { ...metadata, vocabulary, reward, baseline, samples, seed: seed + index * group.worldSize };
    const drawn = await selfCriticalBatch(engine, { images, examples }, options);
    batches.push(drawn.batch);
    rewards.add(drawn.reward, images.count);
  }
  const [sum = NaN, weight = NaN] = await allReduceSum(group, [rewards.sum, rewards.weight]);
  return { batches, reward: sum / weight };
}

/**
 * How a step of an epoch learns, but for its rates.
 *
 * @param recipe The settings.
 * @param epoch The epoch, from 1.
 * @returns The engine's options.
 */
export function stepOptions(
  recipe: Recipe,
  epoch: number,
): Omit<TrainStepOptions, "learningRate" | "encoderLearningRate"> {
  const { epochs, scheduledSampling } = recipe;
  return {
    optimizer: recipe.optimizer,
    trainableFrom: isFrozen(recipe, epoch) ? "none" : recipe.trainableFrom,
    batchNorm: recipe.batchNorm,
    embeddingDropout: recipe.embeddingDropout,
    lstmDropout: recipe.lstmDropout,
    outputDropout: recipe.outputDropout,
    labelSmoothing: recipe.labelSmoothing,
    scheduledSampling: scheduledSampling * (epochs > 1 ? (epoch - 1) / (epochs - 1) : 1),
    weightDecay: recipe.weightDecay,
    encoderWeightDecay: recipe.encoderWeightDecay,
    maxGradientNorm: recipe.maxGradientNorm,
  };
}

/** Whether the CNN stands still in an epoch. */
function isFrozen(recipe: Recipe, epoch: number): boolean {
  return epoch <= recipe.frozenEpochs;
}

function epochsSinceBest({ validationScores }: Progress): number {
  return validationScores.length - 1 - validationScores.indexOf(Math.min(...validationScores));
}

/**
 * Whether a training ends for want of progress. Epochs of a frozen CNN do not count where it is to learn after them.
 *
 * @param recipe The settings.
 * @param progress Where it stands.
 */
export function isOutOfPatience({ patience, epochs, frozenEpochs }: Recipe, progress: Progress): boolean {
  if (patience === 0) return false;
  const stage = frozenEpochs < epochs ? frozenEpochs : 0;
  return Math.min(epochsSinceBest(progress), progress.validationScores.length - stage) >= patience;
}

function diverged(what: string, frozen: boolean): InputError {
  const rate = frozen ? "frozenLearningRate" : "learningRate";
  return new InputError(`Cannot go on: ${what}; train anew with a lower --set ${rate}=...`);
}

async function* inGroups<Part>(batches: AsyncIterable<Part>, size: number): AsyncGenerator<Part[], void, undefined> {
  let group: Part[] = [];
  for await (const batch of batches) {
    group.push(batch);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
