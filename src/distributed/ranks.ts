/**
 * Processes that work together, each with a rank.
 *
 * @module
 */

import type { Engine } from "../ffi/engine.ts";

/** What processes that work together ask of each other. Each call must be made by all of them, in the same order. */
export interface Ranks {
  /** This process among them, from 0. */
  readonly rank: number;
  /** How many there are. */
  readonly size: number;
  /** Adds each number up over all ranks, in place. */
  allReduce(values: Float64Array<ArrayBuffer>): Promise<void>;
  /** Gives all ranks each one's bytes, by rank. */
  allGather(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>[]>;
  /** Gives all ranks the first one's bytes; what others pass does not matter. */
  broadcast(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

/** Processes that train together. */
export interface TrainingRanks extends Ranks {
  /** This process among those of its machine, from 0. */
  readonly localRank: number;
  /** Whether processes of a try before have died. */
  readonly restarted: boolean;
  /** Lets an engine average its gradients over all ranks. */
  join(engine: Engine): Promise<void>;
}

/** A process by itself. */
export const ALONE: TrainingRanks = {
  ...{ rank: 0, size: 1, localRank: 0, restarted: false },
  allReduce: () => Promise.resolve(),
  allGather: (bytes) => Promise.resolve([bytes]),
  broadcast: (bytes) => Promise.resolve(bytes),
  join: () => Promise.resolve(),
};
