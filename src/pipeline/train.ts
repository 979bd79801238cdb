/**
 * The epoch loop.
 *
 * @module
 */

import type { Batch } from "../ffi/batch.ts";
import type { Engine } from "../ffi/engine.ts";
import { InputError } from "../input_error.ts";
import { batches, collateLrcn, collateNotebook } from "./batches.ts";
import type { Photograph } from "./dataset.ts";
import type { ImageCache } from "./image_cache.ts";
import { Random } from "./random.ts";
import type { Recipe } from "./recipe.ts";
import { scheduleFactor } from "./schedule.ts";
import type { Splits } from "./splits.ts";
import type { Example } from "./training_data.ts";

/** What is trained, and on what. */
export interface Training {
  /** The model. */
  readonly engine: Engine;
  /** The settings. */
  readonly recipe: Recipe;
  /** The examples. */
  readonly splits: Pick<Splits<Example>, "train" | "validation">;
  /** Their pixels. */
  readonly images: Pick<ImageCache, "photographs" | "read">;
  /** Decides the order of the examples. */
  readonly seed: number;
}

/** Numbers of an epoch, a line of `metrics.jsonl`. */
export interface EpochMetrics {
  /** From 1. */
  readonly epoch: number;
  /** Mean cross-entropy of a word in nats (in the notebook recipe: mean of the batches' means). */
  readonly trainLoss: number;
  /** The same on the validation split, without dropout. */
  readonly validationLoss: number;
  /** Seconds of training and validation. */
  readonly seconds: number;
  /** Training captions a second. */
  readonly captionsPerSecond: number;
  /** Training images a second. */
  readonly imagesPerSecond: number;
  /** Share of the training time in which the step waited for its batch. */
  readonly dataWaitShare: number;
  /** Step size of the last step, the CNN's apart. */
  readonly learningRate: number;
  /** Mean 2-norm of the gradients before clipping. */
  readonly gradientNorm: number;
}

/** What the progress bar shows after each step. */
export interface StepReport {
  /** The epoch, from 1. */
  readonly epoch: number;
  /** Steps of the epoch that are done. */
  readonly step: number;
  /** Steps of an epoch. */
  readonly steps: number;
  /** Mean loss of the epoch so far. */
  readonly loss: number;
  /** Captions a second so far. */
  readonly captionsPerSecond: number;
  /** Share of the time spent waiting for data so far. */
  readonly dataWaitShare: number;
}

/** What {@linkcode train} does besides. */
export interface TrainOptions {
  /** Called after each step. */
  readonly onStep?: (report: StepReport) => void;
  /** Called after each epoch, before the next; `best` says whether its validation loss is the lowest so far. */
  readonly onEpoch?: (metrics: EpochMetrics, best: boolean) => Promise<void>;
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
  /** Epochs completed. */
  readonly epochs: number;
  /** Why there were no more. */
  readonly reason: "done" | "patience" | "interrupted";
}

/**
 * Trains a model for the recipe's epochs.
 *
 * @param training The model and its data.
 * @param options Callbacks, signal, clock.
 * @returns How it ended.
 * @throws {InputError} If the loss is no longer a number.
 */
export async function train(training: Training, options: TrainOptions = {}): Promise<TrainResult> {
  const { recipe, splits } = training;
  const { now = () => performance.now(), signal } = options;
  let lowest = Infinity;
  let sinceLowest = 0;
  for (let epoch = 1; epoch <= recipe.epochs; epoch++) {
    const start = now();
    const trained = await trainEpoch(training, epoch, { ...options, now });
    if (signal?.aborted) return { epochs: epoch - 1, reason: "interrupted" };
    const validationLoss = await meanLoss(training, splits.validation, signal);
    if (signal?.aborted) return { epochs: epoch - 1, reason: "interrupted" };
    if (!Number.isFinite(validationLoss)) {
      throw diverged(`the validation loss is ${validationLoss} after epoch ${epoch}`);
    }
    const best = validationLoss < lowest;
    if (best) lowest = validationLoss;
    sinceLowest = best ? 0 : sinceLowest + 1;
    await options.onEpoch?.({ epoch, validationLoss, ...trained, seconds: (now() - start) / 1000 }, best);
    if (recipe.patience > 0 && sinceLowest >= recipe.patience) return { epochs: epoch, reason: "patience" };
  }
  return { epochs: recipe.epochs, reason: "done" };
}

/** One pass over the training examples, in an order that seed and epoch decide. */
async function trainEpoch(training: Training, epoch: number, options: TrainOptions & { now: () => number }) {
  const { engine, recipe, splits, seed } = training;
  const { now, onStep, signal } = options;
  const order = new Random(seed * 100_003 + epoch).shuffle([...splits.train.keys()]);
  const steps = Math.ceil(order.length / recipe.batchSize);
  const loss = new Mean();
  const gradientNorm = new Mean();
  let [step, captions, images, waited, learningRate] = [0, 0, 0, 0, 0];
  const start = now();
  let asked = start;
  for await (const batch of readBatches(training, splits.train, order)) {
    waited += now() - asked;
    if (signal?.aborted) break;
    const rates = learningRates(recipe, epoch, step, steps);
    const result = await engine.trainStep(batch, { ...recipe, ...rates });
    if (!Number.isFinite(result.loss)) {
      throw diverged(`the loss is ${result.loss} at epoch ${epoch}, step ${step + 1}`);
    }
    loss.add(result.loss, lossWeight(recipe, result.words));
    gradientNorm.add(result.gradientNorm, 1);
    learningRate = rates.learningRate;
    captions += batch.imageOfRow.length;
    images += batch.images.count;
    step++;
    const seconds = (now() - start) / 1000;
    const [captionsPerSecond, dataWaitShare] = [captions / seconds, waited / 1000 / seconds];
    onStep?.({ epoch, step, steps, loss: loss.value, captionsPerSecond, dataWaitShare });
    asked = now();
  }
  const seconds = (now() - start) / 1000;
  return {
    trainLoss: loss.value,
    captionsPerSecond: captions / seconds,
    imagesPerSecond: images / seconds,
    dataWaitShare: waited / 1000 / seconds,
    learningRate,
    gradientNorm: gradientNorm.value,
  };
}

function diverged(what: string): InputError {
  return new InputError(`Cannot go on: ${what}; lower the rate with --set learningRate=...`);
}

/** The mean loss of examples as in evaluation. */
async function meanLoss(training: Training, examples: readonly Example[], signal?: AbortSignal): Promise<number> {
  const loss = new Mean();
  for await (const batch of readBatches(training, examples, [...examples.keys()])) {
    if (signal?.aborted) break;
    const result = await training.engine.evaluateStep(batch);
    loss.add(result.loss, lossWeight(training.recipe, result.words));
  }
  return loss.value;
}

function readBatches({ recipe, images }: Training, examples: readonly Example[], order: readonly number[]) {
  const indices = new Map<Photograph, number>(images.photographs.map((photograph, index) => [photograph, index]));
  const side = recipe.imageSize;
  const bytes = side * side * 3;
  const load = async (chosen: readonly number[]): Promise<Batch> => {
    const members = chosen.flatMap((index) => examples[index] ?? []);
    const pixels = new Uint8Array(members.length * bytes);
    await Promise.all(
      members.map(({ photograph }, position) =>
        images.read(indices.get(photograph) ?? -1, side, pixels.subarray(position * bytes, (position + 1) * bytes))
      ),
    );
    const pictures = { count: members.length, height: side, width: side, pixels };
    const captions = members.map((example) => example.captions);
    return recipe.name === "notebook" ? collateNotebook(pictures, captions.flat()) : collateLrcn(pictures, captions);
  };
  return batches(order, load, { batchSize: recipe.batchSize });
}

/** The rates at a step: constant while the CNN is frozen, then along the schedule. */
function learningRates(recipe: Recipe, epoch: number, step: number, steps: number) {
  const { frozenEpochs, schedule } = recipe;
  if (epoch <= frozenEpochs) {
    return { trainEncoder: false, learningRate: recipe.frozenLearningRate, encoderLearningRate: 0 };
  }
  const done = (epoch - frozenEpochs - 1) * steps + step;
  const factor = scheduleFactor(schedule, done, (recipe.epochs - frozenEpochs) * steps);
  return {
    trainEncoder: true,
    learningRate: recipe.learningRate * factor,
    encoderLearningRate: recipe.encoderLearningRate * factor,
  };
}

/** The notebook averages its batches' means, whatever they hold. */
function lossWeight(recipe: Recipe, words: number): number {
  return recipe.name === "notebook" ? 1 : words;
}

/** A weighted mean. */
class Mean {
  #sum = 0;
  #weight = 0;

  add(value: number, weight: number): void {
    this.#sum += value * weight;
    this.#weight += weight;
  }

  get value(): number {
    return this.#sum / this.#weight;
  }
}
