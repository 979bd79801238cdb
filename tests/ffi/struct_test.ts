import assert from "node:assert/strict";
import { encodeStruct } from "../../src/ffi/struct.ts";

Deno.test("encodeStruct() writes the struct's own size first", () => {
  const view = new DataView(encodeStruct("lrcn_batch_shape", { images: 3, crop: 0, rows: -1 }).buffer);
  const words = Array.from({ length: 8 }, (_, index) => view.getInt32(4 * index, true));
  assert.deepEqual(words, [32, 3, 0, 0, -1, 0, 0, 0]);
});

Deno.test("encodeStruct() lays out arrays, doubles and 64-bit integers as C does", () => {
  const bytes = encodeStruct("lrcn_engine_options", { encoder_blocks: [1, 2, 2, 3, 3, 4, 1], seed: 2 ** 40 });
  const view = new DataView(bytes.buffer);
  assert.equal(bytes.length, 88);
  assert.deepEqual(Array.from({ length: 7 }, (_, index) => view.getInt32(52 + 4 * index, true)), [1, 2, 2, 3, 3, 4, 1]);
  assert.equal(view.getBigInt64(80, true), 2n ** 40n);
  const options = encodeStruct("lrcn_train_options", { update: 1, embedding_dropout: 0.5, counted_tokens: 7 });
  const optionsView = new DataView(options.buffer);
  assert.equal(options.length, 112);
  assert.equal(optionsView.getInt32(16, true), 1);
  assert.equal(optionsView.getFloat64(32, true), 0.5);
  assert.equal(optionsView.getInt32(20, true), 7);
});

Deno.test("encodeStruct() refuses values that do not fit", () => {
  for (const images of [2 ** 31, 1.5, NaN]) {
    assert.throws(() => encodeStruct("lrcn_batch_shape", { images }), RangeError);
  }
  assert.throws(() => encodeStruct("lrcn_engine_options", { seed: 2 ** 53 }), RangeError);
  assert.throws(() => encodeStruct("lrcn_engine_options", { encoder_blocks: [1, 2] }), RangeError);
  assert.throws(() => encodeStruct("lrcn_batch_shape", { pictures: 1 }), /no field 'pictures'/);
});
