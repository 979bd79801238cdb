/**
 * Processes that work together, each with a rank.
 *
 * @module
 */

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

/** A process by itself. */
export const ALONE: Ranks = {
  rank: 0,
  size: 1,
  allReduce: () => Promise.resolve(),
  allGather: (bytes) => Promise.resolve([bytes]),
  broadcast: (bytes) => Promise.resolve(bytes),
};
