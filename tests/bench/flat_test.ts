import assert from "node:assert/strict";
import { isFlat } from "../../bench/flat.ts";

Deno.test("isFlat() ignores growth in the first quarter and single peaks", () => {
  const { flat, growth } = isFlat([1, 5, 9, 100, 900, 101, 100, 99, 102, 98, 101, 100, 103, 900, 102, 100]);
  assert.equal(flat, true);
  assert(growth > 0 && growth < 0.05, String(growth));
});

Deno.test("isFlat() finds memory that grows slowly", () => {
  const { flat, growth } = isFlat(Array.from({ length: 40 }, (_, sample) => 100 + sample));
  assert.equal(flat, false);
  assert(growth > 0.1 && growth < 0.25, String(growth));
});

Deno.test("isFlat() is false without figures", () => assert.equal(isFlat([]).flat, false));
