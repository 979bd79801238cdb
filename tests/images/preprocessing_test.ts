import assert from "node:assert/strict";
import { Engine } from "../../src/ffi/engine.ts";
import { centerCrop, resizeImage } from "../../src/images/preprocessing.ts";
import { TINY_MODEL } from "../support/native.ts";
import { nativeTest } from "../support/native_test_case.ts";

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

Deno.test("resizeImage() has the engine resize an image once, and copies one that is resized already", async () => {
  const asked: unknown[] = [];
  const engine = {
    resizeCrop(...[{ width, height }, ...size]: Parameters<Engine["resizeCrop"]>) {
      asked.push([width, height, ...size]);
      return Promise.resolve(new Uint8Array(4 * 4 * 3));
    },
  };
  const options = { shortSide: 4, resize: "stretch" } as const;
  const resized = await resizeImage(engine, { width: 9, height: 7, pixels: new Uint8Array(9 * 7 * 3) }, options);
  assert.deepEqual(asked, [[9, 7, 4, 4, "stretch"]]);
  const again = await resizeImage(engine, resized, options);
  assert.equal(asked.length, 1);
  assert.deepEqual(again, resized);
  assert.notEqual(again.pixels.buffer, resized.pixels.buffer);
});

nativeTest("An image and its center crop have the pixels that the engine's own resizing gives", async () => {
  using engine = await Engine.open(TINY_MODEL, { device: "cpu", precision: "fp32" });
  const pixels = Uint8Array.from({ length: 41 * 30 * 3 }, (_, byte) => byte * 7919 % 251);
  const image = { width: 41, height: 30, pixels };
  for (const [shortSide, side] of [[20, 16], [21, 16], [23, 16], [20, 20]] as const) {
    const resized = await resizeImage(engine, image, { shortSide });
    assert.deepEqual(await engine.resizeCrop(resized, shortSide, shortSide), resized.pixels);
    const crop = new Uint8Array(side * side * 3);
    centerCrop(resized.pixels, crop);
    assert.deepEqual(await engine.resizeCrop(resized, shortSide, side), crop);
  }
});
