import assert from "node:assert/strict";
import { convertFloats, FLOAT_TYPES } from "../../src/checkpoint/float_types.ts";
import golden from "../golden/float_types.json" with { type: "json" };

for (const from of FLOAT_TYPES) {
  for (const to of FLOAT_TYPES) {
    Deno.test(`convertFloats() from ${from} to ${to} gives PyTorch's bytes`, () => {
      const bytes = Uint8Array.fromHex(golden.converted[from][from]);
      assert.equal(convertFloats(bytes, from, to).toHex(), golden.converted[from][to]);
    });
  }
}

Deno.test("convertFloats() keeps NaN", () => {
  const nan = new Uint8Array(Float32Array.of(NaN).buffer);
  for (const to of FLOAT_TYPES) {
    const back = convertFloats(convertFloats(nan, "F32", to), to, "F32");
    assert(Number.isNaN(new Float32Array(back.buffer)[0]), to);
  }
});

Deno.test("convertFloats() reads elements that begin anywhere in their buffer", () => {
  const bytes = new Uint8Array(5);
  bytes.set(new Uint8Array(Float32Array.of(1.5).buffer), 1);
  assert.equal(convertFloats(bytes.subarray(1), "F32", "F16").toHex(), "003e");
});
