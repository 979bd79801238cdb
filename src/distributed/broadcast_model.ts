import type { Engine, TensorInfo } from "../ffi/engine.ts";
import { broadcastObject } from "./collectives.ts";
import type { ProcessGroup } from "./process_group.ts";

/** The part of an engine that reads and writes tensors. */
export type ExchangedModel = Pick<Engine, "tensors" | "read" | "write">;

/** Broadcasts tensors of some kinds from rank 0. */
export async function broadcastTensors(
  engine: ExchangedModel,
  group: ProcessGroup,
  kinds: readonly TensorInfo["kind"][],
): Promise<void> {
  if (group.worldSize === 1) return;
  // The optimizer's moments exist only after a step, perhaps on rank 0 alone.
  const tensors = await broadcastObject(
    group,
    async () => (await engine.tensors()).filter(({ kind }) => kinds.includes(kind)),
  );
  for (const tensor of tensors) {
    const bytes = await group.broadcast(group.rank === 0 ? await engine.read(tensor) : new Uint8Array());
    if (group.rank > 0) await engine.write(tensor.name, bytes);
  }
}

/** Gathers the random states of the ranks after the first, as tensors of a checkpoint. */
export async function gatherRandomStates(engine: ExchangedModel, group: ProcessGroup) {
  const tensor = (await engine.tensors()).find(({ kind }) => kind === "random");
  if (group.worldSize === 1 || tensor === undefined) return [];
  const states = await group.allGather(await engine.read(tensor));
  return states.slice(1).map((bytes, index) => ({
    ...tensor,
    name: `${tensor.name}.${index + 1}`,
    read: () => Promise.resolve(bytes),
  }));
}

/**
 * Restores the random state of each rank from a checkpoint. Ranks that the checkpoint lacks keep theirs.
 *
 * @param read Reads a tensor of the checkpoint on rank 0; undefined if there is none of that name.
 */
export async function restoreRandomStates(
  engine: ExchangedModel,
  group: ProcessGroup,
  read: (name: string) => Promise<Uint8Array<ArrayBuffer>> | undefined,
): Promise<void> {
  const tensor = (await engine.tensors()).find(({ kind }) => kind === "random");
  for (let rank = 1; rank < group.worldSize; rank++) {
    const name = `${tensor?.name}.${rank}`;
    const bytes = await group.broadcast(group.rank === 0 ? await read(name) ?? new Uint8Array() : new Uint8Array());
    if (rank === group.rank && tensor !== undefined && bytes.length > 0) await engine.write(tensor.name, bytes);
  }
}
