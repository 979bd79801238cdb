import assert from "node:assert/strict";
import { centreCrop, cropSquare } from "../../../src/pipeline/images/crop.ts";

/** Each pixel of 4 x 4 is its number, three times. */
const SQUARE = Uint8Array.from({ length: 48 }, (_, byte) => Math.floor(byte / 3));

function numbers(crop: { top: number; left: number; flip: boolean }, side: number): number[] {
  const into = new Uint8Array(side * side * 3);
  cropSquare(SQUARE, crop, into);
  assert.deepEqual(into, into.map((_, byte) => into[byte - byte % 3] ?? NaN));
  return [...into].filter((_, byte) => byte % 3 === 0);
}

Deno.test("cropSquare() takes the part at a row and a column", () => {
  assert.deepEqual(numbers({ top: 1, left: 2, flip: false }, 2), [6, 7, 10, 11]);
  assert.deepEqual(numbers({ top: 0, left: 0, flip: false }, 4), [...Array(16).keys()]);
});

Deno.test("cropSquare() exchanges left and right", () => {
  assert.deepEqual(numbers({ top: 1, left: 0, flip: true }, 3), [6, 5, 4, 10, 9, 8, 14, 13, 12]);
});

Deno.test("cropSquare() refuses a part that is not inside, and what is no square", () => {
  const part = new Uint8Array(12);
  for (const [top, left] of [[3, 0], [0, 3], [-1, 0], [0.5, 0]] as const) {
    assert.throws(() => cropSquare(SQUARE, { top, left, flip: false }, part), RangeError);
  }
  assert.throws(() => cropSquare(SQUARE.subarray(1), { top: 0, left: 0, flip: false }, part), RangeError);
});

Deno.test("centreCrop() begins at the even row where there is no middle", () => {
  assert.deepEqual([6, 5, 4, 3, 2, 1, 0].map((margin) => centreCrop(10 + margin, 10).top), [3, 2, 2, 2, 1, 0, 0]);
});
