/**
 * What of a list each rank works on.
 *
 * @module
 */

import { InputError } from "../input_error.ts";
import type { EpochPlan } from "../pipeline/epoch_plan.ts";
import type { Ranks } from "./ranks.ts";

/** How a list is shared. */
export interface ShareOptions extends Pick<Ranks, "rank" | "size"> {
  /** Examples that all ranks work on at a time, together. */
  readonly batchSize: number;
}

/**
 * Examples of an epoch that are learnt from: all, but for a last batch that has not one for each rank.
 *
 * @param examples How many there are.
 * @param options See {@linkcode ShareOptions}.
 */
export function sharedExamples(examples: number, { batchSize, size }: Omit<ShareOptions, "rank">): number {
  const rest = examples % batchSize;
  return rest < size ? examples - (size === 1 ? 0 : rest) : examples;
}

/**
 * A rank's part of an epoch: of each batch the examples that follow those of the ranks before it. So a step's examples are
 * the same for any number of ranks.
 *
 * @param plan The epoch, or what is left of it, from the beginning of a batch on.
 * @param options See {@linkcode ShareOptions}.
 * @returns The rank's part.
 */
export function shareOfPlan(plan: EpochPlan, options: ShareOptions): EpochPlan {
  const { rank, size, batchSize } = options;
  if (size === 1) return plan;
  const total = sharedExamples(plan.order.length, options);
  const mine: number[] = [];
  for (let start = 0; start < total; start += batchSize) {
    const length = Math.min(batchSize, total - start);
    const [first, end] = [rank, rank + 1].map((part) => Math.floor(part * length / size));
    for (let place = first ?? 0; place < (end ?? 0); place++) mine.push(start + place);
  }
  const pick = <Item>(items: readonly Item[]) => mine.flatMap((place) => items[place] ?? []);
  return { order: pick(plan.order), crops: pick(plan.crops) };
}

/**
 * A rank's part of what is gone through in batches, each of which one rank takes: every so many-th.
 *
 * @param items All of them.
 * @param options See {@linkcode ShareOptions}.
 * @returns The rank's.
 */
export function shareOfBatches<Item>(items: readonly Item[], { rank, size, batchSize }: ShareOptions): Item[] {
  return items.filter((_, index) => Math.floor(index / batchSize) % size === rank);
}

/**
 * Examples of a batch that a rank works on.
 *
 * @param batchSize Those that all work on.
 * @param ranks How many there are.
 * @throws {InputError} If they cannot be shared evenly.
 */
export function batchOfRank(batchSize: number, { size }: Pick<Ranks, "size">): number {
  if (batchSize % size === 0) return batchSize / size;
  const nearest = Math.max(size, Math.round(batchSize / size) * size);
  throw new InputError(
    `Cannot train: a batch of ${batchSize} cannot be shared evenly by ${size} processes; give --batch-size ${nearest}`,
  );
}
