/**
 * Models that are to be the same on all ranks.
 *
 * @module
 */

import type { Engine, TensorInfo } from "../ffi/engine.ts";
import { fromFirst } from "./exchange.ts";
import type { Ranks } from "./ranks.ts";

/** A model whose tensors are read and written. */
export type ExchangedModel = Pick<Engine, "tensors" | "read" | "write">;

/**
 * Sets tensors of all ranks to those of the first.
 *
 * @param engine The model.
 * @param ranks The ranks.
 * @param kinds Which of its tensors.
 */
export async function copyFirst(
  engine: ExchangedModel,
  ranks: Ranks,
  kinds: readonly TensorInfo["kind"][],
): Promise<void> {
  if (ranks.size === 1) return;
  // An optimizer's moments are there once a step was done, on the first rank perhaps alone.
  const tensors = await fromFirst(
    ranks,
    async () => (await engine.tensors()).filter(({ kind }) => kinds.includes(kind)),
  );
  for (const tensor of tensors) {
    const bytes = await ranks.broadcast(ranks.rank === 0 ? await engine.read(tensor) : new Uint8Array());
    if (ranks.rank > 0) await engine.write(tensor.name, bytes);
  }
}

/**
 * Collects what each rank's draws go on from.
 *
 * @param engine The model.
 * @param ranks The ranks.
 * @returns The random states of the ranks after the first, as tensors of a checkpoint.
 */
export async function otherRandomStates(engine: ExchangedModel, ranks: Ranks) {
  const tensor = (await engine.tensors()).find(({ kind }) => kind === "random");
  if (ranks.size === 1 || tensor === undefined) return [];
  const states = await ranks.allGather(await engine.read(tensor));
  return states.slice(1).map((bytes, index) => ({
    ...tensor,
    name: `${tensor.name}.${index + 1}`,
    read: () => Promise.resolve(bytes),
  }));
}

/**
 * Lets each rank's draws go on from where a checkpoint was written. Ranks that were not there then draw anew.
 *
 * @param engine The model.
 * @param ranks The ranks.
 * @param read Reads a tensor of the checkpoint, on the first rank; undefined where there is none of that name.
 */
export async function restoreRandomStates(
  engine: ExchangedModel,
  ranks: Ranks,
  read: (name: string) => Promise<Uint8Array<ArrayBuffer>> | undefined,
): Promise<void> {
  const tensor = (await engine.tensors()).find(({ kind }) => kind === "random");
  for (let rank = 1; rank < ranks.size; rank++) {
    const name = `${tensor?.name}.${rank}`;
    const bytes = await ranks.broadcast(ranks.rank === 0 ? await read(name) ?? new Uint8Array() : new Uint8Array());
    if (rank === ranks.rank && tensor !== undefined && bytes.length > 0) await engine.write(tensor.name, bytes);
  }
}
