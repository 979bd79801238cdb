import type { Batch } from "../ffi/batch.ts";
import { exampleBatches, inOrder } from "../pipeline/example_batches.ts";
import type { TrainingContext } from "../pipeline/training_context.ts";
import { learningRates } from "../pipeline/learning_rate.ts";
import { stepOptions } from "../pipeline/step_options.ts";
import type { EncodedExample } from "../pipeline/training_data.ts";

/** Speed of the epochs of a stage, without validation. */
export interface StageSpeed {
  /** Whether the CNN is frozen. */
  readonly stage: "frozen" | "trainable";
  readonly epochs: number;
  /** Mean over the measured steps. */
  readonly stepSeconds: number;
  readonly captionsPerSecond: number;
  readonly epochSeconds: number;
}

/** Speed of a training. */
export interface SpeedExamination {
  /** Measured steps per stage. */
  readonly measuredSteps: number;
  readonly stages: readonly StageSpeed[];
  /** Seconds to compute the features of all images once; 0 if the CNN is never frozen. */
  readonly featuresSeconds: number;
  /** Seconds of all epochs and of the features. */
  readonly totalSeconds: number;
}

type TimingContext = Pick<TrainingContext, "engine" | "recipe" | "images">;

/** Options of {@linkcode timeSteps}. */
export interface TimeStepsOptions {
  /** Number of usable images. */
  readonly images: number;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

const STEPS = 10;

/** Measures ten steps of each stage, which update the weights. A model's first step is slower: take one before. */
export async function timeSteps(
  context: TimingContext,
  examples: readonly EncodedExample[],
  options: TimeStepsOptions,
): Promise<SpeedExamination> {
  const { engine, recipe } = context;
  const { images, now, onProgress, signal } = options;
  const { epochs, frozenEpochs, gradientAccumulationSteps, batchSize } = recipe;
  const frozen = Math.min(frozenEpochs, epochs);
  const planned = [
    { stage: "frozen", epochs: frozen, epoch: 1 } as const,
    { stage: "trainable", epochs: epochs - frozen, epoch: frozen + 1 } as const,
  ].filter(({ epochs }) => epochs > 0);
  const steps = Math.ceil(examples.length / (batchSize * gradientAccumulationSteps));
  const encoding = { seconds: 0, images: 0 };
  const stages: StageSpeed[] = [];
  for (const { stage, epochs, epoch } of planned) {
    const batches = repeated(context, examples);
    const progress = (step: number) => onProgress(stages.length * STEPS + step + 1, planned.length * STEPS);
    // A frozen CNN encodes each image once, before the epochs: the steps read no images.
    const encoded: Batch[][] = [];
    for (let step = 0; stage === "frozen" && step < STEPS; step++) {
      signal.throwIfAborted();
      const start = now();
      const parts = await nextBatches(batches);
      for (const batch of parts) encoding.images += batch.images.count;
      encoded.push(await Promise.all(parts.map(withFeatures)));
      encoding.seconds += (now() - start) / 1000;
      progress(step);
    }
    let [captions, seconds] = [0, 0];
    for (let step = 0; step < STEPS; step++) {
      signal.throwIfAborted();
      const start = now();
      const parts = encoded[step] ?? await nextBatches(batches);
      const learningRate = learningRates(recipe, { epoch, step: 0, steps, validationScores: [] });
      await engine.trainStep(parts, { ...stepOptions(recipe, epoch), ...learningRate });
      seconds += (now() - start) / 1000;
      captions += parts.reduce((sum, { imageOfRow }) => sum + imageOfRow.length, 0);
      if (stage === "trainable") progress(step);
    }
    await batches.return();
    const stepSeconds = seconds / STEPS;
    stages.push({
      stage,
      epochs,
      stepSeconds,
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

/** Batches of the examples in order, endlessly. */
async function* repeated(
  context: TimingContext,
  examples: readonly EncodedExample[],
): AsyncGenerator<Batch, void, undefined> {
  while (examples.length > 0) yield* exampleBatches(context, examples, inOrder(examples));
}
