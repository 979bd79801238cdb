/** The names of the schedules. */
export const SCHEDULES = ["constant", "cosine", "one-cycle", "plateau"] as const;

/** The settings of a schedule. */
export interface ScheduleSettings {
  readonly schedule: typeof SCHEDULES[number];
  /** Steps of linear warmup; one-cycle has its own and ignores it. */
  readonly warmupSteps: number;
  /** The factor by which plateau lowers the learning rate. */
  readonly plateauFactor: number;
  /** Epochs without improvement that plateau tolerates; the next one lowers the learning rate. */
  readonly plateauPatience: number;
}

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
