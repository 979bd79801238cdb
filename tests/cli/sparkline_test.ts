import assert from "node:assert/strict";
import { sparkline } from "../../src/cli/sparkline.ts";

Deno.test("sparkline() draws the least as the lowest block and the greatest as the highest", () => {
  assert.equal(sparkline([0, 1, 2, 3, 4, 5, 6, 7]), "▁▂▃▄▅▆▇█");
  assert.equal(sparkline([3, -1]), "█▁");
});

Deno.test("sparkline() draws a flat line where all are the same, and nothing of nothing", () => {
  assert.equal(sparkline([2, 2, 2]), "▁▁▁");
  assert.equal(sparkline([]), "");
});

Deno.test("sparkline() leaves a gap where there is no number", () => {
  assert.equal(sparkline([0, NaN, 1]), "▁ █");
  assert.equal(sparkline([NaN]), " ");
});

Deno.test("sparkline() is never longer than 40, from the first number on", () => {
  const line = sparkline(Array.from({ length: 1000 }, (_, index) => index));
  assert.equal(line.length, 40);
  assert.match(line, /^▁+▂+▃+▄+▅+▆+▇+█+$/);
});
