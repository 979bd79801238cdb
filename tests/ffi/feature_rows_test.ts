import assert from "node:assert/strict";
import { concatenateFeatures, selectFeatures } from "../../src/ffi/feature_rows.ts";

const features = (count: number, ...values: number[]) => ({ count, values: Float32Array.from(values) });

Deno.test("concatenateFeatures() concatenates parts of any sizes", () => {
  const parts = [features(2, 1, 2, 3, 4), features(1, 5, 6), features(0)];
  assert.deepEqual(concatenateFeatures(parts), features(3, 1, 2, 3, 4, 5, 6));
  assert.deepEqual(concatenateFeatures([]), features(0));
});

Deno.test("selectFeatures() selects images in the given order, also twice or none", () => {
  const all = features(3, 1, 2, 3, 4, 5, 6);
  assert.deepEqual(selectFeatures(all, [2, 0, 2]), features(3, 5, 6, 1, 2, 5, 6));
  assert.deepEqual(selectFeatures(all, []), features(0));
});
