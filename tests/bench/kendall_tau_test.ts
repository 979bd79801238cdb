import assert from "node:assert/strict";
import { kendallTau } from "../../bench/kendall_tau.ts";
import golden from "../golden/kendall_tau.json" with { type: "json" };

for (const [index, { first, second, b, c }] of golden.gradings.entries()) {
  Deno.test(`kendallTau() is SciPy's: gradings ${index}, of ${first.length} things`, () => {
    const tau = kendallTau(first, second);
    assert(Math.abs(tau.b - b) < 1e-12, `tau-b is ${tau.b}, not ${b}`);
    assert(Math.abs(tau.c - c) < 1e-12, `tau-c is ${tau.c}, not ${c}`);
  });
}

Deno.test("kendallTau() is 1 for the same order, -1 for the opposite, and NaN where a grading tells nothing apart", () => {
  assert.deepEqual(kendallTau([1, 2, 3, 4], [10, 20, 30, 40]), { b: 1, c: 1 });
  assert.deepEqual(kendallTau([1, 2, 3, 4], [4, 3, 2, 1]), { b: -1, c: -1 });
  assert.deepEqual(kendallTau([1, 2, 3], [5, 5, 5]), { b: NaN, c: NaN });
});

Deno.test("kendallTau() refuses gradings of different lengths", () => {
  assert.throws(() => kendallTau([1, 2], [1]), RangeError);
});

// Comparing all 20 billion pairs would take minutes.
Deno.test("kendallTau() of 200,000 unrelated grades is next to 0", () => {
  const grades = (step: number) => Array.from({ length: 200_000 }, (_, index) => (index * step) % 1009);
  const { b } = kendallTau(grades(7), grades(31));
  assert(Math.abs(b) < 0.05, `${b}`);
});
