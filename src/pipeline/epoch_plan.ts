/**
 * What an epoch goes through: the order of the examples, and the part of each photograph that the CNN sees.
 *
 * @module
 */

import { Random } from "../random.ts";
import type { Recipe } from "./recipe.ts";

/** A part of a square of pixels. */
export interface Crop {
  /** Rows above it. */
  readonly top: number;
  /** Columns on its left. */
  readonly left: number;
  /** Whether left and right are exchanged. */
  readonly flip: boolean;
}

/** The course of an epoch; seed and epoch decide it alone, so that it can be gone on with at any step. */
export interface EpochPlan {
  /** Indices of the examples in their order. */
  readonly order: readonly number[];
  /** For each of them the part of its photograph; empty where all are seen in the centre. */
  readonly crops: readonly Crop[];
}

/** Options of {@linkcode planEpoch}. */
export interface EpochPlanOptions {
  /** The run's seed. */
  readonly seed: number;
  /** The epoch, from 1. */
  readonly epoch: number;
  /** What may be seen of a photograph. */
  readonly augmentation: Recipe["augmentation"];
  /** Pixels by which a photograph's square is larger than what is seen. */
  readonly margin: number;
}

/**
 * Shuffles the examples and draws what is seen of each.
 *
 * @param examples How many there are.
 * @param options See {@linkcode EpochPlanOptions}.
 * @returns The plan.
 */
export function planEpoch(examples: number, options: EpochPlanOptions): EpochPlan {
  const { seed, epoch, augmentation, margin } = options;
  const random = new Random(seed * 100_003 + epoch);
  const order = random.shuffle(Array.from({ length: examples }, (_, index) => index));
  if (augmentation === "none") return { order, crops: [] };
  const crops = order.map(() => {
    const [top, left] = [random.below(margin + 1), random.below(margin + 1)];
    return { top, left, flip: augmentation === "crop-flip" && random.below(2) === 1 };
  });
  return { order, crops };
}
