/**
 * The course of the learning rate over a run.
 *
 * @module
 */

/** The schedules by name. */
export const SCHEDULES = ["constant", "cosine", "one-cycle", "plateau"] as const;

/** What a schedule is told of a run. */
export interface ScheduleSettings {
  /** The schedule's name. */
  readonly schedule: typeof SCHEDULES[number];
  /** Steps over which the rate rises to its full height; one-cycle has its own rise and ignores it. */
  readonly warmupSteps: number;
  /** What a plateau multiplies the rate by. */
  readonly plateauFactor: number;
  /** Epochs without a better criterion that plateau bears; the one after them lowers the rate. */
  readonly plateauPatience: number;
}

/** Where a run stands. */
export interface SchedulePosition {
  /** Steps done, from 0. */
  readonly step: number;
  /** Steps of the whole course. */
  readonly steps: number;
  /** What the completed epochs were judged by, lower is better. */
  readonly validationScores: readonly number[];
}

/** Share of a one-cycle run in which the rate rises, and the factors that it starts and ends at. */
const ONE_CYCLE = { rise: 0.3, start: 1 / 25, end: 1 / 25e4 };

/** The share of the best criterion by which another must be below it to count as better, PyTorch's default. */
const PLATEAU_THRESHOLD = 1e-4;

/**
 * The factor on a run's learning rates at a step. `cosine` falls from 1 to 0 (Loshchilov and Hutter 2017);
 * `one-cycle` rises from 1/25 to 1 over the first 30% and falls to 1/250000, both along a cosine (Smith and Topin 2018,
 * with PyTorch's OneCycleLR defaults); `plateau` is PyTorch's ReduceLROnPlateau with its default threshold.
 *
 * All but one-cycle rise linearly from 1 / (warmupSteps + 1) over the first `warmupSteps` steps (PyTorch's LinearLR), and
 * `cosine` then falls over those that remain.
 *
 * @param settings The schedule and its numbers.
 * @param position The step.
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

function anneal(from: number, to: number, share: number): number {
  return to + (from - to) * (1 + Math.cos(Math.PI * Math.min(1, share))) / 2;
}

/** The factor after epochs judged by `validationScores`. */
function plateau({ plateauFactor, plateauPatience }: ScheduleSettings, validationScores: readonly number[]): number {
  let factor = 1;
  let best = Infinity;
  let worse = 0;
  for (const scoreOf of validationScores) {
    // The sign: a criterion that is a negated score counts as PyTorch counts the score in its mode "max".
    if (scoreOf < best * (1 - Math.sign(best) * PLATEAU_THRESHOLD)) {
      best = scoreOf;
      worse = 0;
    } else if (++worse > plateauPatience) {
      factor *= plateauFactor;
      worse = 0;
    }
  }
  return factor;
}
