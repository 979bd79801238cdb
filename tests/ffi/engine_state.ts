import assert from "node:assert/strict";
import type { Engine, TensorInfo } from "../../src/ffi/engine.ts";
import { numbers } from "./golden_numbers.ts";

/** SHA-256 of each tensor of these kinds whose name begins with a prefix, in the engine's order. */
export async function digests(
  engine: Engine,
  kinds: readonly TensorInfo["kind"][],
  prefix = "",
): Promise<Record<string, string>> {
  const tensors = (await engine.tensors()).filter(({ name, kind }) => kinds.includes(kind) && name.startsWith(prefix));
  const entries = tensors.map(async (tensor) => {
    const digest = await crypto.subtle.digest("SHA-256", await engine.read(tensor));
    return [tensor.name, new Uint8Array(digest).toHex()] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Names of the tensors that differ between two results of {@linkcode digests}. */
export function changed(before: Record<string, string>, after: Record<string, string>): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => before[name] !== after[name]);
}

/** Finds a tensor by name. */
export async function tensorNamed(engine: Engine, name: string): Promise<TensorInfo> {
  const tensor = (await engine.tensors()).find((candidate) => candidate.name === name);
  assert(tensor !== undefined, `${name} is missing`);
  return tensor;
}

/** A tensor's elements. */
export async function readNumbers(engine: Engine, name: string): Promise<Float64Array<ArrayBuffer>> {
  return await numbers(engine, await tensorNamed(engine, name));
}

/** Replaces each element of a float64 or float32 tensor. */
export async function mapTensor(
  engine: Engine,
  name: string,
  change: (value: number, index: number) => number,
): Promise<void> {
  const tensor = await tensorNamed(engine, name);
  const values = (await numbers(engine, tensor)).map(change);
  await engine.write(name, new Uint8Array(tensor.dtype === "F32" ? Float32Array.from(values).buffer : values.buffer));
}
