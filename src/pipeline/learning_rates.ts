import type { Recipe } from "./recipe.ts";
import { scheduleFactor } from "./schedule.ts";

/** The position of a step in a run. */
export interface StepPosition {
  /** The epoch, from 1. */
  readonly epoch: number;
  /** The step in the epoch, from 0. */
  readonly step: number;
  /** Steps of an epoch. */
  readonly steps: number;
  /** The validation scores of the completed epochs, lower is better. */
  readonly validationScores: readonly number[];
}

/**
 * The learning rates of a step. If the encoder is frozen at first and fine-tuned later, the decoder's learning rate is
 * constant until then, and the schedule covers the epochs of fine-tuning; otherwise it covers all epochs.
 *
 * @returns The encoder's learning rate, 0 while it is frozen, and that of everything else.
 */
export function learningRates(
  recipe: Recipe,
  { epoch, step, steps, validationScores }: StepPosition,
): { readonly learningRate: number; readonly encoderLearningRate: number } {
  const { epochs, frozenEpochs } = recipe;
  const frozen = epoch <= frozenEpochs;
  if (frozen && frozenEpochs < epochs) return { learningRate: recipe.frozenLearningRate, encoderLearningRate: 0 };
  const before = frozen ? 0 : frozenEpochs;
  const factor = scheduleFactor(recipe, {
    step: (epoch - before - 1) * steps + step,
    steps: (epochs - before) * steps,
    validationScores: validationScores.slice(before),
  });
  return frozen
    ? { learningRate: recipe.frozenLearningRate * factor, encoderLearningRate: 0 }
    : { learningRate: recipe.learningRate * factor, encoderLearningRate: recipe.encoderLearningRate * factor };
}
