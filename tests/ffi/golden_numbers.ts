/**
 * Compares tensors with the numbers that tests/golden/model.py keeps of them.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Engine, TensorInfo } from "../../src/ffi/engine.ts";
import { fill } from "./formula.ts";

/** [2-norm, largest magnitude, three samples, and their indices where they are not evenly spread]. */
export type Summary = readonly number[];

/** [2-norm, product with a direction that the tensor's name gives]. */
export type Fingerprint = readonly number[];

/** How far two float64 computations may be apart, relative to their size. */
export const BOUND = 1e-8;

export function assertClose(actual: number, expected: number, bound: number, what: string): void {
  assert(Math.abs(actual - expected) <= bound, `${what}: ${actual} is not within ${bound} of ${expected}`);
}

export function assertSummary(values: Float64Array, summary: Summary, bound: number, what: string): void {
  const [length = NaN, largest = NaN, ...rest] = summary;
  const spread = [0, 1, 2].map((i) => Math.floor(i * (values.length - 1) / 2));
  const indices = rest.length > 3 ? rest.slice(3) : spread;
  if (rest.length === 3) assertClose(norm(values), length, bound * length, `norm of ${what}`);
  indices.forEach((index, i) =>
    assertClose(values[index] ?? NaN, rest[i] ?? NaN, bound * largest, `${what}[${index}]`)
  );
}

export function assertFingerprint(name: string, values: Float64Array, expected: Fingerprint): void {
  const [length = NaN, product = NaN] = expected;
  const direction = fill(`${name} direction`, values.length);
  assertClose(norm(values), length, BOUND * length, `norm of ${name}`);
  const actual = values.reduce((sum, value, index) => sum + value * (direction[index] ?? NaN), 0);
  assertClose(actual, product, BOUND * length, `product of ${name}`);
}

export function norm(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

/** A tensor's elements as numbers. */
export async function numbers(engine: Engine, tensor: TensorInfo): Promise<Float64Array<ArrayBuffer>> {
  const { buffer } = await engine.read(tensor);
  if (tensor.dtype === "F64") return new Float64Array(buffer);
  if (tensor.dtype === "I64") return Float64Array.from(new BigInt64Array(buffer), Number);
  return Float64Array.from(new Float32Array(buffer));
}

/** All tensors of a kind as numbers, by the name after the prefix. */
export async function tensorsOf(
  engine: Engine,
  kind: TensorInfo["kind"],
  prefix = "",
): Promise<Map<string, Float64Array<ArrayBuffer>>> {
  const tensors = (await engine.tensors()).filter((tensor) => tensor.kind === kind && tensor.name.startsWith(prefix));
  const entries = tensors.map(async (tensor) =>
    [tensor.name.slice(prefix.length), await numbers(engine, tensor)] as const
  );
  return new Map(await Promise.all(entries));
}

/** What changed of each tensor. */
export function changes(
  before: ReadonlyMap<string, Float64Array>,
  after: ReadonlyMap<string, Float64Array>,
): Map<string, Float64Array> {
  return new Map(
    [...after].map(([name, values]) => {
      const old = before.get(name);
      return [name, values.map((value, index) => value - (old?.[index] ?? NaN))];
    }),
  );
}

/** Compares the tensors that have a golden fingerprint. */
export function assertFingerprints(
  tensors: ReadonlyMap<string, Float64Array>,
  expected: Readonly<Record<string, Fingerprint>>,
): void {
  for (const [name, fingerprint] of Object.entries(expected)) {
    const values = tensors.get(name);
    assert(values !== undefined, `${name} is missing`);
    assertFingerprint(name, values, fingerprint);
  }
}
