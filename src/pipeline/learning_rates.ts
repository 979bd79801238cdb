/**
 * The step sizes of a run.
 *
 * @module
 */

import type { Recipe } from "./recipe.ts";
import { scheduleFactor } from "./schedule.ts";

/** A step of a run. */
export interface StepPosition {
  /** The epoch, from 1. */
  readonly epoch: number;
  /** The step in it, from 0. */
  readonly step: number;
  /** Steps of an epoch. */
  readonly steps: number;
  /** What the completed epochs are judged by, lower is better. */
  readonly validationScores: readonly number[];
}

/**
 * The step sizes at a step. While the CNN is frozen and will learn later, the rest keeps to one rate; then, or where the
 * CNN never learns, the schedule runs.
 *
 * @param recipe The settings.
 * @param position The step.
 * @returns The rate of the CNN, 0 where it is frozen, and of all else.
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
