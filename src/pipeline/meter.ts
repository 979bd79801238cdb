import { allReduceSum } from "../distributed/collectives.ts";
import type { ProcessGroup } from "../distributed/process_group.ts";
import type { Batch, StepResult } from "../ffi/batch.ts";
import { InputError } from "../input_error.ts";
import { Mean } from "./mean.ts";
import type { Progress } from "./progress.ts";
import type { Recipe } from "./recipe.ts";
import { isFrozen } from "./step_options.ts";
import { lossWeight, type Validation } from "./validate.ts";

/** The metrics of an epoch, a line of `metrics.jsonl`. All but the last five are the same in each run with the same seed. */
export interface EpochMetrics extends Validation {
  /** From 1. */
  readonly epoch: number;
  /**
   * Mean cross-entropy of a token in nats (notebook recipe: mean of the batches' means). In self-critical training the
   * negative mean reward of the sampled captions.
   */
  readonly trainLoss: number;
  /** Learning rate of the last step, without the encoder's. */
  readonly learningRate: number;
  /** The encoder's learning rate at the last step; 0 if it is frozen. */
  readonly encoderLearningRate: number;
  /** Mean L2 norm of the gradients before clipping. */
  readonly gradientNorm: number;
  /** Seconds of training and validation. */
  readonly seconds: number;
  /** Seconds of validation. */
  readonly validationSeconds: number;
  /** Training captions per second. */
  readonly captionsPerSecond: number;
  /** Training images per second. */
  readonly imagesPerSecond: number;
  /** Fraction of the training time in which the step waited for its batch. */
  readonly dataWaitFraction: number;
}

/** What the progress bar shows after each step. */
export interface StepReport {
  /** The epoch, from 1. */
  readonly epoch: number;
  /** The last epoch before the encoder is fine-tuned, or of all: until then steps take equally long. */
  readonly stageEnd: number;
  /** Completed steps of the epoch. */
  readonly step: number;
  /** Steps of an epoch. */
  readonly steps: number;
  /** Mean loss of the epoch so far. */
  readonly loss: number;
  /** Loss of this step; in self-critical training the negative reward. */
  readonly stepLoss: number;
  /** Learning rate of this step, without the encoder's. */
  readonly learningRate: number;
  /** The encoder's learning rate at this step; 0 if it is frozen. */
  readonly encoderLearningRate: number;
  /** L2 norm of this step's gradients before clipping. */
  readonly gradientNorm: number;
  /** Captions per second so far. */
  readonly captionsPerSecond: number;
  /** Fraction of the time spent waiting for data so far. */
  readonly dataWaitFraction: number;
}

/** What is known of a step before its result. */
export interface StepInfo {
  readonly rates: { readonly learningRate: number; readonly encoderLearningRate: number };
  /** Mean reward of sampled captions, in self-critical training. */
  readonly reward: number | undefined;
  readonly captions: number;
  readonly images: number;
}

/** Counts the captions and images of a step's batches. */
export function countBatches(batches: readonly Batch[]): { readonly captions: number; readonly images: number } {
  return {
    captions: batches.reduce((sum, { imageOfRow }) => sum + imageOfRow.length, 0),
    images: batches.reduce((sum, { images }) => sum + images.count, 0),
  };
}

/** Options of {@linkcode Meter}. */
export interface MeterOptions {
  readonly recipe: Recipe;
  /** Steps of an epoch. */
  readonly steps: number;
  /** Where the epoch starts. */
  readonly from: Progress;
  readonly group: ProcessGroup;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/** Sums up the steps of an epoch. */
export class Meter {
  /** The epoch, from 1. */
  readonly epoch: number;
  readonly #options: MeterOptions;
  readonly #loss: Mean;
  readonly #gradientNorm: Mean;
  readonly #start: number;
  #waitStart: number;
  #waited = 0;
  #captions = 0;
  #images = 0;
  #progress: Progress;

  constructor(options: MeterOptions) {
    const { from, now } = options;
    this.#options = options;
    this.epoch = from.validationScores.length + 1;
    this.#progress = from;
    this.#loss = new Mean(from.sums.loss, from.sums.lossWeight);
    this.#gradientNorm = new Mean(from.sums.gradientNorm, from.step);
    this.#start = this.#waitStart = now();
  }

  /** The steps whose results are known. */
  get progress(): Progress {
    return this.#progress;
  }

  /** A batch is needed from now on. */
  startWaiting(): void {
    this.#waitStart = this.#options.now();
  }

  /** The batch is there. */
  endWaiting(): void {
    this.#waited += this.#options.now() - this.#waitStart;
  }

  /**
   * Adds the result of a step.
   *
   * @throws {InputError} If its loss or gradient is not finite.
   */
  add(result: StepResult, { rates, reward, captions, images }: StepInfo): StepReport {
    const { recipe, steps, group, now } = this.#options;
    const { epoch } = this;
    const frozen = isFrozen(recipe, epoch);
    for (const [name, value] of Object.entries({ loss: result.loss, gradient: result.gradientNorm })) {
      if (Number.isFinite(value)) continue;
      throw diverged(`the ${name} is ${value} at epoch ${epoch}, step ${this.#progress.step + 1}`, frozen);
    }
    if (reward === undefined) this.#loss.add(result.loss, lossWeight(recipe, result.tokens));
    else this.#loss.add(-reward, 1);
    this.#gradientNorm.add(result.gradientNorm, 1);
    this.#captions += captions;
    this.#images += images;
    this.#progress = {
      ...this.#progress,
      step: this.#progress.step + 1,
      sums: { loss: this.#loss.sum, lossWeight: this.#loss.weight, gradientNorm: this.#gradientNorm.sum },
    };
    const seconds = (now() - this.#start) / 1000;
    return {
      epoch,
      stageEnd: frozen && recipe.frozenEpochs < recipe.epochs ? recipe.frozenEpochs : recipe.epochs,
      step: this.#progress.step,
      steps,
      loss: this.#loss.value,
      stepLoss: reward === undefined ? result.loss : -reward,
      ...rates,
      gradientNorm: result.gradientNorm,
      captionsPerSecond: group.worldSize * this.#captions / seconds,
      dataWaitFraction: this.#waited / 1000 / seconds,
    };
  }

  /** The epoch's training metrics, over all processes. */
  async metrics(): Promise<
    Omit<EpochMetrics, keyof Validation | "seconds" | "validationSeconds" | keyof StepInfo["rates"]>
  > {
    const { group, now } = this.#options;
    const seconds = (now() - this.#start) / 1000;
    const perSecond = (count: number) => seconds > 0 ? count / seconds : 0;
    const [captions = 0, images = 0, waited = 0] = await allReduceSum(group, [
      this.#captions,
      this.#images,
      this.#waited / group.worldSize,
    ]);
    return {
      epoch: this.epoch,
      trainLoss: this.#loss.value,
      gradientNorm: this.#gradientNorm.value,
      captionsPerSecond: perSecond(captions),
      imagesPerSecond: perSecond(images),
      dataWaitFraction: perSecond(waited / 1000),
    };
  }
}

/** The error for a loss that is not finite, with the learning rate to lower. */
export function diverged(what: string, frozen: boolean): InputError {
  const rate = frozen ? "frozenLearningRate" : "learningRate";
  return new InputError(`Cannot continue: ${what}; train again with a lower --set ${rate}=...`);
}
