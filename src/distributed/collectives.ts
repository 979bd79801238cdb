/**
 * Values that ranks tell each other.
 *
 * @module
 */

import { InputError } from "../input_error.ts";
import type { ProcessGroup } from "./process_group.ts";

/**
 * Adds numbers up over all ranks.
 *
 * @param ranks The ranks.
 * @param values Numbers, as many on each rank.
 * @returns Their sums.
 */
export async function allReduceSum(group: ProcessGroup, values: readonly number[]): Promise<number[]> {
  const all = Float64Array.from(values);
  await group.allReduce(all);
  return [...all];
}

/**
 * Asks whether something holds on any rank.
 *
 * @param ranks The ranks.
 * @param here Whether it holds on this one.
 */
export async function anyRank(group: ProcessGroup, here: boolean): Promise<boolean> {
  const [count = 0] = await allReduceSum(group, [Number(here)]);
  return count > 0;
}

/**
 * Collects a value of each rank.
 *
 * @typeParam Value What JSON can hold.
 * @param ranks The ranks.
 * @param value This rank's.
 * @returns All of them, by rank.
 */
export async function allGatherObject<Value>(group: ProcessGroup, value: Value): Promise<Value[]> {
  return (await group.allGather(encode(value))).map((bytes) => decode<Value>(bytes));
}

/**
 * Lets rank 0 do something, while the others wait for it to have succeeded.
 *
 * @param ranks The ranks.
 * @param work What it does.
 * @returns What the work returned on rank 0, undefined on others.
 * @throws {InputError} On all ranks, with the same words, if the work fails by one.
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
 * Gives all ranks what rank 0 finds.
 *
 * @typeParam Value What JSON can hold; undefined is kept where it stands alone.
 * @param ranks The ranks.
 * @param find What rank 0 does to find it.
 * @returns What it found.
 * @throws {InputError} On all ranks, with the same words, if it fails by one.
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
