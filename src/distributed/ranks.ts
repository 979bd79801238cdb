/**
 * Processes that work together, each with a rank.
 *
 * @module
 */

import type { Engine } from "../ffi/engine.ts";
import type { Ranks } from "../ffi/group.ts";

export type { Ranks };

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
