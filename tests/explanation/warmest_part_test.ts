import assert from "node:assert/strict";
import { warmestPart } from "../../src/explanation/warmest_part.ts";

/** A map with one nonzero cell. */
function only(cell: number, size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, index) => index === cell ? 2 : 0);
}

Deno.test("warmestPart() names each ninth", () => {
  const names = Array.from({ length: 9 }, (_, cell) => warmestPart(only(cell, 9), { rows: 3, columns: 3 }));
  assert.deepEqual(names.map((found) => found?.part), [
    ...["top left", "top", "top right", "left", "center", "right", "bottom left", "bottom", "bottom right"],
  ]);
  for (const found of names) assert(Math.abs((found?.fraction ?? NaN) - 1) < 1e-9);
});

Deno.test("warmestPart() divides a cell on a border among its ninths", () => {
  const corner = warmestPart(only(3, 4), { rows: 2, columns: 2 });
  assert.equal(corner?.part, "bottom right");
  assert(Math.abs((corner?.fraction ?? NaN) - 4 / 9) < 1e-9);
  // Of two columns and one row the second reaches from the middle to the right, and over all rows.
  const half = warmestPart(only(1, 2), { rows: 1, columns: 2 });
  assert.equal(half?.part, "top right");
  assert(Math.abs((half?.fraction ?? NaN) - 2 / 9) < 1e-9);
});

Deno.test("warmestPart() finds no part of a map without heat", () => {
  assert.equal(warmestPart(new Float32Array(49), { rows: 7, columns: 7 }), undefined);
});
