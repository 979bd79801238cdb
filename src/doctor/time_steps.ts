/**
 * How fast a training goes, by going through a few of its steps.
 *
 * @module
 */

import type { Batch } from "../ffi/batch.ts";
import type { Engine } from "../ffi/engine.ts";
import { exampleBatches, inOrder } from "../pipeline/example_batches.ts";
import type { DryRunSource } from "../pipeline/dry_run.ts";
import { learningRates } from "../pipeline/learning_rates.ts";
import { stepOptions } from "../pipeline/train.ts";
import type { EncodedExample } from "../pipeline/training_data.ts";

/** How fast the epochs of a stage go. Validation is not counted. */
export interface StageSpeed {
  /** Whether the CNN learns in it. */
  readonly stage: "frozen" | "learning";
  /** Its epochs. */
  readonly epochs: number;
  /** Mean seconds of a step. */
  readonly stepSeconds: number;
  /** Training captions a second. */
  readonly captionsPerSecond: number;
  /** Seconds of an epoch. */
  readonly epochSeconds: number;
}

/** The speed of a training. */
export interface SpeedExamination {
  /** Steps that each stage was measured for. */
  readonly measuredSteps: number;
  /** Its stages in their order. */
  readonly stages: readonly StageSpeed[];
  /** Seconds in which a frozen CNN goes through all images once; 0 where it is not frozen. */
  readonly featuresSeconds: number;
  /** Seconds of all epochs and of the features. */
  readonly totalSeconds: number;
}

/** What {@linkcode timeSteps} needs. */
export interface TimeStepsSource extends DryRunSource {
  /** The model; it learns something. */
  readonly engine: Pick<Engine, "tryTrainStep" | "trainStep" | "encode">;
}

/** Options of {@linkcode timeSteps}. */
export interface TimeStepsOptions {
  /** Images that have pixels. */
  readonly images: number;
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
  /** Called after each step. */
  readonly onProgress: (done: number, total: number) => void;
  /** Ends the measurement with its reason. */
  readonly signal: AbortSignal;
}

const STEPS = 10;

/**
 * Takes ten steps of each stage. The model should have gone through one before, which takes longer than those after it.
 *
 * @param source The model and where batches come from.
 * @param examples What is learnt from.
 * @param options See {@linkcode TimeStepsOptions}.
 * @returns What to expect of all epochs.
 */
export async function timeSteps(
  source: TimeStepsSource,
  examples: readonly EncodedExample[],
  options: TimeStepsOptions,
): Promise<SpeedExamination> {
  const { engine, recipe } = source;
  const { images, now, onProgress, signal } = options;
  const { epochs, frozenEpochs, gradientAccumulationSteps, batchSize } = recipe;
  const frozen = Math.min(frozenEpochs, epochs);
  const planned = [
    { stage: "frozen", epochs: frozen, epoch: 1 } as const,
    {
      stage: "learning",
      epochs: epochs - frozen,
      epoch: frozen + 1,
    } as const,
  ].filter(({ epochs }) => epochs > 0);
  const steps = Math.ceil(examples.length / (batchSize * gradientAccumulationSteps));
  const encoding = { seconds: 0, images: 0 };
  const stages: StageSpeed[] = [];
  for (const { stage, epochs, epoch } of planned) {
    const batches = repeated(source, examples);
    const progress = (step: number) => onProgress(stages.length * STEPS + step + 1, planned.length * STEPS);
    // A frozen CNN sees each image once, before the epochs: its steps neither read nor decode any.
    const encoded: Batch[][] = [];
    for (let step = 0; stage === "frozen" && step < STEPS; step++) {
      signal.throwIfAborted();
      const began = now();
      const parts = await nextBatches(batches);
      for (const batch of parts) encoding.images += batch.images.count;
      encoded.push(await Promise.all(parts.map(withFeatures)));
      encoding.seconds += (now() - began) / 1000;
      progress(step);
    }
    let [captions, seconds] = [0, 0];
    for (let step = 0; step < STEPS; step++) {
      signal.throwIfAborted();
      const began = now();
      const parts = encoded[step] ?? await nextBatches(batches);
      const rates = learningRates(recipe, { epoch, step: 0, steps, validationScores: [] });
      await engine.trainStep(parts, { ...stepOptions(recipe, epoch), ...rates });
      seconds += (now() - began) / 1000;
      captions += parts.reduce((sum, { imageOfRow }) => sum + imageOfRow.length, 0);
      if (stage === "learning") progress(step);
    }
    await batches.return();
    const stepSeconds = seconds / STEPS;
    stages.push({
      ...{ stage, epochs, stepSeconds },
      captionsPerSecond: captions / seconds,
      epochSeconds: stepSeconds * steps,
    });
  }
  const featuresSeconds = encoding.images > 0 ? encoding.seconds / encoding.images * images : 0;
  const totalSeconds = stages.reduce((sum, stage) => sum + stage.epochs * stage.epochSeconds, featuresSeconds);
  return { measuredSteps: STEPS, stages, featuresSeconds, totalSeconds };

  async function nextBatches(batches: AsyncGenerator<Batch, void, undefined>): Promise<Batch[]> {
    const parts: Batch[] = [];
    while (parts.length < gradientAccumulationSteps) {
      const { value } = await batches.next();
      if (value === undefined) throw new RangeError("Cannot measure a training without examples");
      parts.push(value);
    }
    return parts;
  }

  async function withFeatures(batch: Batch): Promise<Batch> {
    return "values" in batch.images ? batch : { ...batch, images: await engine.encode(batch.images) };
  }
}

/** The examples in their order, again and again. */
async function* repeated(
  source: TimeStepsSource,
  examples: readonly EncodedExample[],
): AsyncGenerator<Batch, void, undefined> {
  while (examples.length > 0) yield* exampleBatches({ ...source, features: undefined }, examples, inOrder(examples));
}
