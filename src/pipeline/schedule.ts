/**
 * The course of the learning rate over a run.
 *
 * @module
 */

import type { Recipe } from "./recipe.ts";

/** Share of a one-cycle run in which the rate rises, and the factors that it starts and ends at. */
const ONE_CYCLE = { rise: 0.3, start: 1 / 25, end: 1 / 25e4 };

/**
 * The factor on a recipe's learning rates at a step. `cosine` falls from 1 to 0 (Loshchilov and Hutter 2017);
 * `one-cycle` rises from 1/25 to 1 over the first 30% and falls to 1/250000, both along a cosine (Smith and Topin 2018,
 * with PyTorch's OneCycleLR defaults).
 *
 * @param schedule The schedule's name.
 * @param step Steps done, from 0.
 * @param steps Steps of the whole course.
 * @returns The factor, 0 to 1.
 */
export function scheduleFactor(schedule: Recipe["schedule"], step: number, steps: number): number {
  switch (schedule) {
    case "constant":
      return 1;
    case "cosine":
      return anneal(1, 0, step / Math.max(1, steps));
    case "one-cycle": {
      const peak = ONE_CYCLE.rise * steps - 1;
      if (peak > 0 && step <= peak) return anneal(ONE_CYCLE.start, 1, step / peak);
      return anneal(1, ONE_CYCLE.end, (step - peak) / Math.max(1, steps - 1 - peak));
    }
  }
}

function anneal(from: number, to: number, share: number): number {
  return to + (from - to) * (1 + Math.cos(Math.PI * Math.min(1, share))) / 2;
}
