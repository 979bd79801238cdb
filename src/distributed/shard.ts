/**
 * What of a list each rank works on.
 *
 * @module
 */

import type { ProcessGroup } from "./process_group.ts";

/** How a list is shared. */
export interface ShardOptions extends Pick<ProcessGroup, "rank" | "worldSize"> {
  /** Examples that all ranks work on at a time, together. */
  readonly batchSize: number;
}

/**
 * A rank's part of what is gone through in batches, each of which one rank takes: every so many-th.
 *
 * @param items All of them.
 * @param options See {@linkcode ShardOptions}.
 * @returns The rank's.
 */
export function shardBatches<Item>(items: readonly Item[], { rank, worldSize, batchSize }: ShardOptions): Item[] {
  return items.filter((_, index) => Math.floor(index / batchSize) % worldSize === rank);
}
