import type { Recipe } from "./recipe_schema.ts";

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
 * The learning rates of a step. The schedule covers the epochs with a frozen encoder, and begins anew when it is fine-tuned.
 *
 * @returns The encoder's learning rate, 0 while it is frozen, and that of everything else.
 */
export function learningRates(
  recipe: Recipe,
  { epoch, step, steps, validationScores }: StepPosition,
): { readonly learningRate: number; readonly encoderLearningRate: number } {
  const { epochs, frozenEpochs } = recipe;
  const frozen = epoch <= frozenEpochs;
  const [before, end] = frozen ? [0, Math.min(frozenEpochs, epochs)] : [frozenEpochs, epochs];
  const factor = scheduleFactor(recipe, {
    step: (epoch - before - 1) * steps + step,
    steps: (end - before) * steps,
    validationScores: validationScores.slice(before),
  });
  return frozen
    ? { learningRate: recipe.frozenLearningRate * factor, encoderLearningRate: 0 }
    : { learningRate: recipe.learningRate * factor, encoderLearningRate: recipe.encoderLearningRate * factor };
}

/** The settings of a schedule. */
export type ScheduleSettings = Pick<Recipe, "schedule" | "warmupSteps" | "plateauFactor" | "plateauPatience">;

/** A position in a run. */
export interface SchedulePosition {
  /** Completed steps. */
  readonly step: number;
  /** Steps of the whole schedule. */
  readonly steps: number;
  /** The validation scores of the completed epochs, lower is better. */
  readonly validationScores: readonly number[];
}

/** Fraction of a one-cycle run in which the learning rate rises, and its first and last factor. */
const ONE_CYCLE = { rise: 0.3, start: 1 / 25, end: 1 / 25e4 };

/** The relative improvement that counts, PyTorch's default. */
const PLATEAU_THRESHOLD = 1e-4;

/**
 * The factor on a run's learning rates at a step. `cosine` falls from 1 to 0 (Loshchilov and Hutter 2017);
 * `one-cycle` rises from 1/25 to 1 over the first 30% and falls to 1/250000, both along a cosine (Smith and Topin 2018,
 * with PyTorch's OneCycleLR defaults); `plateau` is PyTorch's ReduceLROnPlateau with its default threshold.
 *
 * All but one-cycle rise linearly from 1 / (warmupSteps + 1) over the first `warmupSteps` steps (PyTorch's LinearLR), and
 * `cosine` then falls over those that remain.
 *
 * @returns The factor, 0 to 1.
 */
export function scheduleFactor(
  settings: ScheduleSettings,
  { step, steps, validationScores }: SchedulePosition,
): number {
  const { schedule, warmupSteps } = settings;
  if (schedule === "one-cycle") return oneCycle(step, steps);
  const warmup = Math.min(1, (step + 1) / (warmupSteps + 1));
  switch (schedule) {
    case "constant":
      return warmup;
    case "cosine":
      return step < warmupSteps ? warmup : anneal(1, 0, (step - warmupSteps) / Math.max(1, steps - warmupSteps));
    case "plateau":
      return warmup * plateau(settings, validationScores);
  }
}

function oneCycle(step: number, steps: number): number {
  const peak = ONE_CYCLE.rise * steps - 1;
  if (peak > 0 && step <= peak) return anneal(ONE_CYCLE.start, 1, step / peak);
  return anneal(1, ONE_CYCLE.end, (step - peak) / Math.max(1, steps - 1 - peak));
}

function anneal(from: number, to: number, fraction: number): number {
  return to + (from - to) * (1 + Math.cos(Math.PI * Math.min(1, fraction))) / 2;
}

function plateau({ plateauFactor, plateauPatience }: ScheduleSettings, validationScores: readonly number[]): number {
  let factor = 1;
  let best = Infinity;
  let worse = 0;
  for (const score of validationScores) {
    // The sign: a negated metric counts as PyTorch counts the metric in its mode "max".
    if (score < best * (1 - Math.sign(best) * PLATEAU_THRESHOLD)) {
      best = score;
      worse = 0;
    } else if (++worse > plateauPatience) {
      factor *= plateauFactor;
      worse = 0;
    }
  }
  return factor;
}
