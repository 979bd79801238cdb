/**
 * The training loop: epochs, steps, validation, checkpoints.
 *
 * @module
 */

import { broadcastTensors } from "../distributed/broadcast_model.ts";
import { allReduceSum, anyRank } from "../distributed/collectives.ts";
import { loadEpoch } from "./epoch_loader.ts";
import { learningRates } from "./learning_rate.ts";
import { countBatches, diverged, type EpochMetrics, Meter, type StepInfo, type StepReport } from "./meter.ts";
import { type Objective, objectiveOf } from "./objective.ts";
import { EPOCH_START, epochsSinceBest, isOutOfPatience, type Progress } from "./progress.ts";
import { StepQueue } from "./step_queue.ts";
import { isFrozen, stepOptions } from "./step_options.ts";
import type { TrainingContext } from "./training_context.ts";
import { scoreOf, validate } from "./validate.ts";

/** Saves a training run. */
export interface Checkpoints {
  /** Whether the progress within an epoch should be saved now. Only rank 0 is asked. */
  isDue(progress: Progress): boolean;
  /** Saves the progress within an epoch. */
  saveProgress(progress: Progress): Promise<void>;
  /** Saves a completed epoch. */
  saveEpoch(metrics: EpochMetrics, progress: Progress, best: boolean): Promise<void>;
}

/** Options of {@linkcode train}. */
export interface TrainOptions {
  /** Where to start; by default at the first step. */
  readonly from?: Progress | undefined;
  readonly checkpoints: Checkpoints;
  /** Is called after each step. */
  readonly onStep: (report: StepReport) => void;
  /** Ends training after the current step. */
  readonly signal: AbortSignal;
  /** Steps between two reads of the results: reading stalls a GPU. 1 by default. */
  readonly readEvery?: number;
  /** Milliseconds of a monotonic clock, for the speed. */
  readonly now?: () => number;
}

/** How training ended. */
export interface TrainResult {
  readonly reason: "done" | "patience" | "interrupted";
  readonly progress: Progress;
}

/**
 * Trains a model for the recipe's epochs.
 *
 * @throws {InputError} If a loss or gradient is not finite, or a checkpoint cannot be saved.
 */
export async function train(context: TrainingContext, options: TrainOptions): Promise<TrainResult> {
  const { engine, recipe, splits, group } = context;
  const { checkpoints, signal, now = () => performance.now() } = options;
  const objective = objectiveOf(context);
  let progress: Progress = options.from ?? { validationScores: [], ...EPOCH_START };
  while (progress.validationScores.length < recipe.epochs) {
    if (isOutOfPatience(recipe, progress)) return { reason: "patience", progress };
    const start = now();
    const trained = await trainEpoch(context, objective, progress, { ...options, now });
    progress = trained.progress;
    if (await anyRank(group, signal.aborted)) return { reason: "interrupted", progress };

    const { epoch, trainLoss, ...rest } = trained.metrics;
    const frozen = isFrozen(recipe, epoch);
    // Each rank has moved BatchNorm's running statistics by its own batches.
    await broadcastTensors(engine, group, ["buffer"]);
    const trainedAt = now();
    const features = frozen ? context.frozenFeatures : undefined;
    const validation = await validate(context, splits.validation, { features, signal });
    if (await anyRank(group, signal.aborted)) return { reason: "interrupted", progress };
    const { validationLoss } = validation;
    if (!Number.isFinite(validationLoss)) {
      throw diverged(`the validation loss is ${validationLoss} after epoch ${epoch}`, frozen);
    }

    const validationScores = [...progress.validationScores, scoreOf(validation, recipe.bestBy)];
    progress = { ...progress, validationScores, ...EPOCH_START };
    const ended = now();
    const times = { seconds: (ended - start) / 1000, validationSeconds: (ended - trainedAt) / 1000 };
    const metrics = { epoch, trainLoss, ...validation, ...rest, ...times };
    await checkpoints.saveEpoch(metrics, progress, epochsSinceBest(progress) === 0);
  }
  return { reason: "done", progress };
}

/** Trains for the rest of an epoch, or until the signal is aborted. */
async function trainEpoch(
  context: TrainingContext,
  objective: Objective,
  from: Progress,
  { checkpoints, onStep, signal, readEvery = 1, now }: TrainOptions & { now: () => number },
) {
  const { engine, recipe, group } = context;
  const { validationScores } = from;
  const epoch = validationScores.length + 1;
  const { steps, batches } = loadEpoch(context, epoch, from.step);
  const options = stepOptions(recipe, epoch);
  const ratesAt = (step: number) => learningRates(recipe, { epoch, step, steps, validationScores });
  const queue = new StepQueue<StepInfo>(engine, readEvery);
  const meter = new Meter({ recipe, steps, from, group, now });
  let step = from.step;
  let stop = await anyRank(group, signal.aborted);

  async function account(results: Awaited<ReturnType<typeof queue.settle>>): Promise<void> {
    if (results.length === 0) return;
    for (const [result, info] of results) onStep(meter.add(result, info));
    const due = group.rank === 0 && checkpoints.isDue(meter.progress);
    const [stops = 0, saves = 0] = await allReduceSum(group, [Number(signal.aborted), Number(due)]);
    if (saves > 0) await checkpoints.saveProgress(meter.progress);
    stop = stops > 0;
  }

  for await (const examples of batches) {
    meter.endWaiting();
    // Other ranks would wait for this one in the step; alone, it need not wait for results.
    if (stop || (group.worldSize === 1 && signal.aborted)) break;
    const rates = ratesAt(step);
    const { batches, reward } = await objective(examples, epoch, step++);
    await account(await queue.run(batches, { ...options, ...rates }, { rates, reward, ...countBatches(examples) }));
    meter.startWaiting();
  }
  await account(await queue.settle());
  return { progress: meter.progress, metrics: { ...ratesAt(steps - 1), ...await meter.metrics() } };
}
