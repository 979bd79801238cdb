/**
 * What of a list each rank works on.
 *
 * @module
 */

import type { Ranks } from "./ranks.ts";

/** How a list is shared. */
export interface ShareOptions extends Pick<Ranks, "rank" | "size"> {
  /** Examples that all ranks work on at a time, together. */
  readonly batchSize: number;
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
