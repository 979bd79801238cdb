import type { Engine } from "../ffi/engine.ts";
import type { ProcessGroup } from "../ffi/group.ts";

export type { ProcessGroup };

/** A process group for training. */
export interface TrainingGroup extends ProcessGroup {
  /** Rank of this process on its machine, from 0; undefined if unknown. */
  readonly localRank: number | undefined;
  /** Whether torchrun has restarted the processes. */
  readonly restarted: boolean;
  /** Lets an engine average its gradients over all ranks. */
  join(engine: Engine): Promise<void>;
}

/** A group of one process. */
export const SINGLE_PROCESS: TrainingGroup = {
  rank: 0,
  worldSize: 1,
  localRank: 0,
  restarted: false,
  allReduce: () => Promise.resolve(),
  allGather: (bytes) => Promise.resolve([bytes]),
  broadcast: (bytes) => Promise.resolve(bytes),
  join: () => Promise.resolve(),
};
