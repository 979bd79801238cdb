// How far decoded pixels are from Pillow's.

import assert from "node:assert/strict";

/** Compares samples. */
export function differences(actual: Uint8Array, expected: Uint8Array): { mean: number; largest: number } {
  assert.equal(actual.length, expected.length);
  let sum = 0;
  let largest = 0;
  for (const [index, value] of actual.entries()) {
    const difference = Math.abs(value - (expected[index] ?? NaN));
    sum += difference;
    largest = Math.max(largest, difference);
  }
  return { mean: sum / actual.length, largest };
}
