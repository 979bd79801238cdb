/**
 * What an epoch goes through: the order of the examples, and the part of each image that the CNN sees.
 *
 * @module
 */

import type { ProcessGroup } from "../distributed/process_group.ts";
import type { ShardOptions } from "../distributed/shard.ts";
import { InputError } from "../input_error.ts";
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
  /** For each of them the part of its image; empty where all are seen in the center. */
  readonly crops: readonly Crop[];
}

/** Options of {@linkcode planEpoch}. */
export interface EpochPlanOptions {
  /** The run's seed. */
  readonly seed: number;
  /** The epoch, from 1. */
  readonly epoch: number;
  /** What may be seen of an image. */
  readonly augmentation: Recipe["augmentation"];
  /** Pixels by which an image's square is larger than what is seen. */
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

/**
 * Examples of an epoch that are learnt from: all, but for a last batch that has not one for each rank.
 *
 * @param examples How many there are.
 * @param options See {@linkcode ShardOptions}.
 */
export function shardedExamples(examples: number, { batchSize, worldSize }: Omit<ShardOptions, "rank">): number {
  const rest = examples % batchSize;
  return rest < worldSize ? examples - (worldSize === 1 ? 0 : rest) : examples;
}

/**
 * A rank's part of an epoch: of each batch the examples that follow those of the ranks before it. So a step's examples are
 * the same for any number of ranks.
 *
 * @param plan The epoch, or what is left of it, from the beginning of a batch on.
 * @param options See {@linkcode ShardOptions}.
 * @returns The rank's part.
 */
export function shardPlan(plan: EpochPlan, options: ShardOptions): EpochPlan {
  const { rank, worldSize, batchSize } = options;
  if (worldSize === 1) return plan;
  const total = shardedExamples(plan.order.length, options);
  const mine: number[] = [];
  for (let start = 0; start < total; start += batchSize) {
    const length = Math.min(batchSize, total - start);
    const [first, end] = [rank, rank + 1].map((part) => Math.floor(part * length / worldSize));
    for (let place = first ?? 0; place < (end ?? 0); place++) mine.push(start + place);
  }
  const pick = <Item>(items: readonly Item[]) => mine.flatMap((place) => items[place] ?? []);
  return { order: pick(plan.order), crops: pick(plan.crops) };
}

/**
 * Examples of a batch that a rank works on.
 *
 * @param batchSize Those that all work on.
 * @param ranks How many there are.
 * @throws {InputError} If they cannot be shared evenly.
 */
export function batchSizeOfRank(batchSize: number, { worldSize }: Pick<ProcessGroup, "worldSize">): number {
  if (batchSize % worldSize === 0) return batchSize / worldSize;
  const nearest = Math.max(worldSize, Math.round(batchSize / worldSize) * worldSize);
  throw new InputError(
    `Cannot train: a batch of ${batchSize} cannot be shared evenly by ${worldSize} processes; give --batch-size ${nearest}`,
  );
}
