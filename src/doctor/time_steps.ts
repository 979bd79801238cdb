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
  /** Steps that were measured. */
  readonly measuredSteps: number;
  /** Mean over the measured steps. */
  readonly stepSeconds: number;
  readonly captionsPerSecond: number;
  readonly epochSeconds: number;
}

/** Speed of a training. */
export interface SpeedExamination {
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

/** Most steps of a stage. */
const STEPS = 10;
/** No step begins when its part of this time is over, so that measuring ends soon even if steps are slow. */
const SECONDS = 30;

/**
 * Measures steps of each stage, which update the weights: ten, or as many as half a minute has room for, but at least one. A
 * model's first step is slower: take one before.
 */
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
  // Encoding for the frozen stage takes a part as well.
  const share = SECONDS / (planned.length + (frozen > 0 ? 1 : 0));
  const stages: StageSpeed[] = [];
  for (const { stage, epochs, epoch } of planned) {
    const batches = repeated(context, examples);
    const progress = (step: number) => onProgress(stages.length * STEPS + step + 1, planned.length * STEPS);
    // A frozen CNN encodes each image once, before the epochs: the steps read no images.
    const encoded: Batch[][] = [];
    for (let step = 0; stage === "frozen" && hasTime(step, encoding.seconds); step++) {
      signal.throwIfAborted();
      const start = now();
      const parts = await nextBatches(batches);
      for (const batch of parts) encoding.images += batch.images.count;
      encoded.push(await Promise.all(parts.map(withFeatures)));
      encoding.seconds += (now() - start) / 1000;
      progress(step);
    }
    let [captions, seconds, measuredSteps] = [0, 0, 0];
    const most = stage === "frozen" ? encoded.length : STEPS;
    for (; measuredSteps < most && hasTime(measuredSteps, seconds); measuredSteps++) {
      const step = measuredSteps;
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
    progress(STEPS - 1);
    const stepSeconds = seconds / measuredSteps;
    stages.push({
      stage,
      epochs,
      measuredSteps,
      stepSeconds,
      captionsPerSecond: captions / seconds,
      epochSeconds: stepSeconds * steps,
    });
  }
  const featuresSeconds = encoding.images > 0 ? encoding.seconds / encoding.images * images : 0;
  const totalSeconds = stages.reduce((sum, stage) => sum + stage.epochs * stage.epochSeconds, featuresSeconds);
  return { stages, featuresSeconds, totalSeconds };

  function hasTime(step: number, seconds: number): boolean {
    return step === 0 || (step < STEPS && seconds < share);
  }

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
