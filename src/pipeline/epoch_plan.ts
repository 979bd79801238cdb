import type { ProcessGroup } from "../distributed/process_group.ts";
import type { ShardOptions } from "../distributed/shard.ts";
import { InputError } from "../input_error.ts";
import { Random } from "../random.ts";
import { halfToEven } from "../images/preprocessing.ts";
import type { Recipe } from "./recipe.ts";

/** A crop of a resized image. */
export interface Crop {
  /** Rows above it. */
  readonly top: number;
  /** Columns on its left. */
  readonly left: number;
  /** Whether it is mirrored. */
  readonly flip: boolean;
}

/** The order and the augmentation of an epoch. Only seed and epoch decide it, so it can be resumed at any step. */
export interface EpochPlan {
  /** Indices of the examples. */
  readonly order: readonly number[];
  /** The crop of each; empty for center crops. */
  readonly crops: readonly Crop[];
}

/** Options of {@linkcode planEpoch}. */
export interface EpochPlanOptions {
  readonly seed: number;
  /** The epoch, from 1. */
  readonly epoch: number;
  readonly augmentation: Recipe["augmentation"];
  /** Pixels by which the resized image is larger than the crop. */
  readonly margin: number;
}

/** The augmentation that features of a frozen encoder allow: of each image there are those of its center and its flip. */
export function frozenAugmentation({ augmentation }: Pick<Recipe, "augmentation">): "none" | "flip" {
  return augmentation === "flip" || augmentation === "crop-flip" ? "flip" : "none";
}

/** Shuffles the examples and chooses a random crop of each. */
export function planEpoch(examples: number, options: EpochPlanOptions): EpochPlan {
  const { seed, epoch, augmentation, margin } = options;
  const random = new Random(seed * 100_003 + epoch);
  const order = random.shuffle(Array.from({ length: examples }, (_, index) => index));
  if (augmentation === "none") return { order, crops: [] };
  const center = halfToEven(margin);
  const crops = order.map(() => {
    const [top, left] = augmentation === "flip"
      ? [center, center]
      : [random.below(margin + 1), random.below(margin + 1)];
    return { top, left, flip: augmentation !== "crop" && random.below(2) === 1 };
  });
  return { order, crops };
}

/** The number of examples that an epoch trains on: all, except a last batch with fewer examples than ranks. */
export function shardedExamples(examples: number, { batchSize, worldSize }: Omit<ShardOptions, "rank">): number {
  const rest = examples % batchSize;
  return rest < worldSize ? examples - (worldSize === 1 ? 0 : rest) : examples;
}

/**
 * A rank's shard of an epoch: a part of each batch, so that the examples of a step are the same for any number of ranks.
 *
 * @param plan The epoch, or the rest of it from the start of a batch.
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
 * A rank's share of the batch size.
 *
 * @throws {InputError} If the batch cannot be divided evenly.
 */
export function batchSizeOfRank(batchSize: number, { worldSize }: Pick<ProcessGroup, "worldSize">): number {
  if (batchSize % worldSize === 0) return batchSize / worldSize;
  const nearest = Math.max(worldSize, Math.round(batchSize / worldSize) * worldSize);
  throw new InputError(
    `Cannot train: a batch of ${batchSize} cannot be divided evenly among ${worldSize} processes; give --batch-size ${nearest}`,
  );
}
