import type { ProcessGroup } from "./process_group.ts";

/** Options of {@linkcode shardBatches}. */
export interface ShardOptions extends Pick<ProcessGroup, "rank" | "worldSize"> {
  /** Items in a batch. */
  readonly batchSize: number;
}

/** A rank's shard of a list that is processed in batches: every worldSize-th batch. */
export function shardBatches<Item>(items: readonly Item[], { rank, worldSize, batchSize }: ShardOptions): Item[] {
  return items.filter((_, index) => Math.floor(index / batchSize) % worldSize === rank);
}
