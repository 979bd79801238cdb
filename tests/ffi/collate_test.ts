import assert from "node:assert/strict";
import type { Images } from "../../src/ffi/batch.ts";
import { collateMasked, collateShifted } from "../../src/ffi/collate.ts";

function imagesOf(count: number): Images {
  return { count, height: 2, width: 2, pixels: new Uint8Array(count * 12) };
}

Deno.test("collateMasked() shifts captions by one word, pads what is given and does not count the rest", () => {
  const images = imagesOf(3);
  const batch = collateMasked(images, [
    [Int32Array.of(2, 7, 8, 3), Int32Array.of(2, 9, 3)],
    [],
    [Int32Array.of(2, 3)],
  ]);
  assert.equal(batch.images, images);
  assert.deepEqual(batch.imageOfRow, Int32Array.of(0, 0, 2));
  assert.equal(batch.inputsLength, 3);
  assert.equal(batch.targetsLength, 3);
  assert.deepEqual(batch.inputs, Int32Array.of(2, 7, 8, 2, 9, 0, 2, 0, 0));
  assert.deepEqual(batch.targets, Int32Array.of(7, 8, 3, 9, 3, -1, 3, -1, -1));
});

Deno.test("collateMasked() refuses captions that do not fit the images", () => {
  assert.throws(() => collateMasked(imagesOf(1), []), RangeError);
  assert.throws(() => collateMasked(imagesOf(1), [[]]), RangeError);
  assert.throws(() => collateMasked(imagesOf(1), [[Int32Array.of(2)]]), RangeError);
});

Deno.test("collateShifted() gives words 0 to 27 and asks for words 1 to 29, padding counted", () => {
  const caption = Int32Array.from({ length: 30 }, (_, index) => index < 12 ? 100 + index : 0);
  const batch = collateShifted(imagesOf(2), [caption, caption.map((word) => word + 1)]);
  assert.deepEqual(batch.imageOfRow, Int32Array.of(0, 1));
  assert.equal(batch.inputsLength, 28);
  assert.equal(batch.targetsLength, 29);
  assert.deepEqual(batch.inputs.subarray(0, 28), caption.subarray(0, 28));
  assert.deepEqual(batch.targets.subarray(0, 29), caption.subarray(1));
  assert.deepEqual(batch.inputs.subarray(28), caption.subarray(0, 28).map((word) => word + 1));
  assert.ok(!batch.targets.includes(-1));
});

Deno.test("collateShifted() refuses captions of several lengths or of another number than the images", () => {
  const caption = new Int32Array(30);
  assert.throws(() => collateShifted(imagesOf(1), [caption, caption]), RangeError);
  assert.throws(() => collateShifted(imagesOf(2), [caption, new Int32Array(29)]), RangeError);
  assert.throws(() => collateShifted(imagesOf(1), [new Int32Array(2)]), RangeError);
  assert.throws(() => collateShifted(imagesOf(0), []), RangeError);
});
