import assert from "node:assert/strict";
import { scheduleFactor } from "../../src/pipeline/schedule.ts";
import golden from "../golden/schedules.json" with { type: "json" };

for (const schedule of ["one-cycle", "cosine"] as const) {
  Deno.test(`scheduleFactor() is PyTorch's: ${schedule}`, () => {
    for (const { steps, shares } of golden.schedules[schedule]) {
      for (const [step, share] of shares.entries()) {
        const factor = scheduleFactor(schedule, step, steps);
        assert(Math.abs(factor - share) < 1e-12, `step ${step} of ${steps}: ${factor}, not ${share}`);
      }
    }
  });
}

Deno.test("scheduleFactor() is 1 throughout a constant schedule", () => {
  for (const step of [0, 5, 99]) assert.equal(scheduleFactor("constant", step, 100), 1);
});

Deno.test("scheduleFactor() lets a run of one step learn", () => {
  for (const schedule of ["constant", "cosine", "one-cycle"] as const) assert(scheduleFactor(schedule, 0, 1) > 0.1);
});
