import { InputError } from "../input_error.ts";
import type { ProcessGroup } from "./process_group.ts";

/** Sums numbers, as many on each rank, over all ranks. */
export async function allReduceSum(group: ProcessGroup, values: readonly number[]): Promise<number[]> {
  const all = Float64Array.from(values);
  await group.allReduce(all);
  return [...all];
}

/** Whether a condition holds on any rank. */
export async function anyRank(group: ProcessGroup, here: boolean): Promise<boolean> {
  const [count = 0] = await allReduceSum(group, [Number(here)]);
  return count > 0;
}

/** Gathers a JSON value of each rank on all ranks, by rank. */
export async function allGatherObject<Value>(group: ProcessGroup, value: Value): Promise<Value[]> {
  return (await group.allGather(encode(value))).map((bytes) => decode<Value>(bytes));
}

/**
 * Runs work on rank 0; the others wait until it has succeeded.
 *
 * @returns The result on rank 0, undefined on the others.
 * @throws {InputError} On all ranks, with the same message, if the work throws one.
 */
export async function onRankZero<Result>(
  group: ProcessGroup,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  if (group.rank > 0) {
    const { problem } = decode<{ problem?: string }>(await group.broadcast(new Uint8Array()));
    if (problem !== undefined) throw new InputError(problem);
    return undefined;
  }
  try {
    const result = await work();
    await group.broadcast(encode({}));
    return result;
  } catch (error) {
    if (error instanceof InputError) await group.broadcast(encode({ problem: error.message }));
    throw error;
  }
}

/**
 * Broadcasts the JSON value that rank 0 finds.
 *
 * @throws {InputError} On all ranks, with the same message, if `find` throws one.
 */
export async function broadcastObject<Value>(group: ProcessGroup, find: () => Promise<Value>): Promise<Value> {
  const found = await onRankZero(group, find);
  if (group.worldSize === 1) return found as Value;
  return decode<{ value: Value }>(await group.broadcast(encode({ value: found }))).value;
}

function encode(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

function decode<Value>(bytes: Uint8Array): Value {
  return JSON.parse(new TextDecoder().decode(bytes));
}
