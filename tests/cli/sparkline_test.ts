import assert from "node:assert/strict";
import { sparkline } from "../../src/cli/sparkline.ts";

Deno.test("sparkline() draws the minimum as the lowest block and the maximum as the highest", () => {
  assert.equal(sparkline([0, 1, 2, 3, 4, 5, 6, 7]), "▁▂▃▄▅▆▇█");
  assert.equal(sparkline([3, -1]), "█▁");
});

Deno.test("sparkline() draws a flat line of equal values, and nothing of none", () => {
  assert.equal(sparkline([2, 2, 2]), "▁▁▁");
  assert.equal(sparkline([]), "");
});

Deno.test("sparkline() leaves a gap for NaN", () => {
  assert.equal(sparkline([0, NaN, 1]), "▁ █");
  assert.equal(sparkline([NaN]), " ");
});

Deno.test("sparkline() is at most 40 long and starts with the first value", () => {
  const line = sparkline(Array.from({ length: 1000 }, (_, index) => index));
  assert.equal(line.length, 40);
  assert.match(line, /^▁+▂+▃+▄+▅+▆+▇+█+$/);
});
