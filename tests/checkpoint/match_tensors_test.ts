import assert from "node:assert/strict";
import { matchTensors } from "../../src/checkpoint/match_tensors.ts";
import type { TensorLayout } from "../../src/checkpoint/tensor.ts";

function layouts(...names: string[]): Map<string, TensorLayout> {
  return new Map(names.map((name) => [name, { dtype: "F32", shape: [2, 3] }]));
}

Deno.test("matchTensors() accepts the same tensors in another order", () => {
  matchTensors(layouts("a", "b"), layouts("b", "a"));
});

Deno.test("matchTensors() names the first tensors that are missing, unexpected or unlike, in one line", () => {
  const expected = layouts("a", "b", "c", "d", "same", "other").set("wide", { dtype: "F64", shape: [] });
  const found = layouts("same", "x", "wide").set("other", { dtype: "F32", shape: [3, 2] });
  assert.throws(() => matchTensors(expected, found, { source: "run/best.safetensors" }), {
    name: "InputError",
    message: "Cannot load weights from 'run/best.safetensors': they are not this model's: " +
      "missing 'a', 'b', 'c' and 1 more; unexpected 'x'; " +
      "'other' is F32 [3, 2] where the model has F32 [2, 3], 'wide' is F32 [2, 3] where the model has F64 []",
  });
});

Deno.test("matchTensors() skips the ignored names, on both sides", () => {
  const ignore = (name: string) => name.startsWith("optimizer.");
  matchTensors(layouts("a", "optimizer.step"), layouts("a", "optimizer.moment"), { ignore });
  assert.throws(() => matchTensors(layouts("a"), layouts("a", "optimizer.moment")), /unexpected 'optimizer\.moment'/);
});

Deno.test("matchTensors() ends by the advice it is given", () => {
  assert.throws(() => matchTensors(layouts("a"), layouts(), { advice: "give another file" }), {
    message: "Cannot load weights from the file: they are not this model's: missing 'a'; give another file",
  });
});
