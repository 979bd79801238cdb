import assert from "node:assert/strict";
import { centerCrop } from "../../src/images/preprocessing.ts";

/** Pixels of a square image, each its number three times. */
function squareImage(side: number): Uint8Array {
  return Uint8Array.from({ length: side * side * 3 }, (_, byte) => Math.floor(byte / 3));
}

function numbers(from: number, side: number): number[] {
  const into = new Uint8Array(side * side * 3);
  centerCrop(squareImage(from), into);
  assert.deepEqual(into, into.map((_, byte) => into[byte - byte % 3] ?? NaN));
  return [...into].filter((_, byte) => byte % 3 === 0);
}

Deno.test("centerCrop() takes the center of a square image", () => {
  assert.deepEqual(numbers(4, 2), [5, 6, 9, 10]);
  assert.deepEqual(numbers(4, 4), [...Array(16).keys()]);
});

Deno.test("centerCrop() starts at the even row and column if there is no exact center", () => {
  const starts = [6, 5, 4, 3, 2, 1, 0].map((margin) => (numbers(10 + margin, 10)[0] ?? NaN) % (10 + margin));
  assert.deepEqual(starts, [3, 2, 2, 2, 1, 0, 0]);
});

Deno.test("centerCrop() rejects a crop larger than the image, and images that are not square", () => {
  assert.throws(() => centerCrop(squareImage(2), new Uint8Array(27)), RangeError);
  assert.throws(() => centerCrop(squareImage(4).subarray(1), new Uint8Array(12)), RangeError);
  assert.throws(() => centerCrop(squareImage(4), new Uint8Array(13)), RangeError);
});
