import assert from "node:assert/strict";
import fc from "fast-check";
import { enlarge } from "../../src/explanation/enlarge.ts";

Deno.test("enlarge() interpolates bilinearly, as PyTorch's interpolate does", () => {
  // torch.nn.functional.interpolate(torch.tensor([[[[0., 4.], [8., 16.]]]]), size=(3, 4), mode="bilinear")
  const expected = [0, 1, 3, 4, 4, 5.5, 8.5, 10, 8, 10, 14, 16];
  const enlarged = enlarge([0, 4, 8, 16], { rows: 2, columns: 2, height: 3, width: 4 });
  assert.deepEqual([...enlarged], expected);
});

Deno.test("enlarge() fills the output with the value of a single cell", () => {
  assert.deepEqual([...enlarge([7], { rows: 1, columns: 1, height: 2, width: 3 })], [7, 7, 7, 7, 7, 7]);
});

Deno.test("enlarge() stays within the input's minimum and maximum", () => {
  const side = fc.integer({ min: 1, max: 5 });
  fc.assert(fc.property(side, side, fc.integer({ min: 1, max: 30 }), (rows, columns, height) => {
    const values = Float32Array.from({ length: rows * columns }, (_, index) => Math.sin(index * 7));
    const enlarged = enlarge(values, { rows, columns, height, width: 17 });
    assert.equal(enlarged.length, height * 17);
    const slack = 1e-6;
    for (const value of enlarged) {
      assert(value <= Math.max(...values) + slack && value >= Math.min(...values) - slack);
    }
  }));
});
