import assert from "node:assert/strict";
import type { Batch, Images } from "../../src/ffi/batch.ts";
import { batches } from "../../src/pipeline/batches.ts";
import { collateLrcn, collateNotebook } from "../../src/ffi/collate.ts";

function imagesOf(count: number): Images {
  return { count, height: 2, width: 2, pixels: new Uint8Array(count * 12) };
}

Deno.test("collateLrcn() shifts captions by one word, pads what is given and does not count the rest", () => {
  const images = imagesOf(3);
  const batch = collateLrcn(images, [
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

Deno.test("collateLrcn() refuses captions that do not fit the images", () => {
  assert.throws(() => collateLrcn(imagesOf(1), []), RangeError);
  assert.throws(() => collateLrcn(imagesOf(1), [[]]), RangeError);
  assert.throws(() => collateLrcn(imagesOf(1), [[Int32Array.of(2)]]), RangeError);
});

Deno.test("collateNotebook() gives words 0 to 27 and asks for words 1 to 29, padding counted", () => {
  const caption = Int32Array.from({ length: 30 }, (_, index) => index < 12 ? 100 + index : 0);
  const batch = collateNotebook(imagesOf(2), [caption, caption.map((word) => word + 1)]);
  assert.deepEqual(batch.imageOfRow, Int32Array.of(0, 1));
  assert.equal(batch.inputsLength, 28);
  assert.equal(batch.targetsLength, 29);
  assert.deepEqual(batch.inputs.subarray(0, 28), caption.subarray(0, 28));
  assert.deepEqual(batch.targets.subarray(0, 29), caption.subarray(1));
  assert.deepEqual(batch.inputs.subarray(28), caption.subarray(0, 28).map((word) => word + 1));
  assert.ok(!batch.targets.includes(-1));
});

Deno.test("collateNotebook() refuses captions of several lengths or of another number than the images", () => {
  const caption = new Int32Array(30);
  assert.throws(() => collateNotebook(imagesOf(1), [caption, caption]), RangeError);
  assert.throws(() => collateNotebook(imagesOf(2), [caption, new Int32Array(29)]), RangeError);
  assert.throws(() => collateNotebook(imagesOf(1), [new Int32Array(2)]), RangeError);
  assert.throws(() => collateNotebook(imagesOf(0), []), RangeError);
});

Deno.test("batches() goes through the order, keeps a smaller last batch and loads one ahead", async () => {
  const loaded: (readonly number[])[] = [];
  const batch: Batch = collateNotebook(imagesOf(1), [new Int32Array(30)]);
  const epoch = batches([4, 2, 0, 3, 1], (indices) => {
    loaded.push(indices);
    return Promise.resolve(batch);
  }, { batchSize: 2 });
  assert.equal((await epoch.next()).value, batch);
  assert.deepEqual(loaded, [[4, 2], [0, 3]]);
  assert.equal((await Array.fromAsync(epoch)).length, 2);
  assert.deepEqual(loaded, [[4, 2], [0, 3], [1]]);
});

Deno.test("batches() refuses a batch size that is no count", () => {
  assert.throws(() => batches([1], () => Promise.reject(), { batchSize: 0 }), RangeError);
});
