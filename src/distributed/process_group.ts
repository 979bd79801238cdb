/**
 * Processes that work together, each with a rank.
 *
 * @module
 */

import type { Engine } from "../ffi/engine.ts";
import type { ProcessGroup } from "../ffi/group.ts";

export type { ProcessGroup };

/** Processes that train together. */
export interface TrainingGroup extends ProcessGroup {
  /** This process among those of its machine, from 0. */
  readonly localRank: number;
  /** Whether processes of a try before have died. */
  readonly restarted: boolean;
  /** Lets an engine average its gradients over all ranks. */
  join(engine: Engine): Promise<void>;
}

/** A process by itself. */
export const SINGLE_PROCESS: TrainingGroup = {
  ...{ rank: 0, worldSize: 1, localRank: 0, restarted: false },
  allReduce: () => Promise.resolve(),
  allGather: (bytes) => Promise.resolve([bytes]),
  broadcast: (bytes) => Promise.resolve(bytes),
  join: () => Promise.resolve(),
};
