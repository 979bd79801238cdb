import assert from "node:assert/strict";
import { scheduleFactor, SCHEDULES, type ScheduleSettings } from "../../src/pipeline/schedule.ts";
import golden from "../golden/schedules.json" with { type: "json" };

const SETTINGS: ScheduleSettings = { schedule: "constant", warmupSteps: 0, plateauFactor: 0.5, plateauPatience: 2 };

/** Fails unless a factor is PyTorch's but for rounding. */
function assertFactor(factor: number, expected: number | undefined, at: string): void {
  assert(expected !== undefined && Math.abs(factor - expected) < 1e-12, `${at}: ${factor}, not ${expected}`);
}

for (const schedule of ["constant", "one-cycle", "cosine"] as const) {
  Deno.test(`scheduleFactor() is PyTorch's: ${schedule}`, () => {
    for (const { steps, warmupSteps, factors } of golden.schedules[schedule]) {
      for (const [step, expected] of factors.entries()) {
        const factor = scheduleFactor({ ...SETTINGS, schedule, warmupSteps }, { step, steps, validationScores: [] });
        assertFactor(factor, expected, `step ${step} of ${steps}, ${warmupSteps} of warm-up`);
      }
    }
  });
}

Deno.test("scheduleFactor() is PyTorch's after each epoch: plateau", () => {
  for (const { validationScores, factors, plateauFactor, plateauPatience } of golden.plateaus) {
    const settings = { ...SETTINGS, schedule: "plateau", plateauFactor, plateauPatience } as const;
    for (const [epochs, expected] of factors.entries()) {
      const position = {
        step: epochs,
        steps: validationScores.length,
        validationScores: validationScores.slice(0, epochs),
      };
      assertFactor(scheduleFactor(settings, position), expected, `${validationScores} after ${epochs}`);
    }
  }
});

Deno.test("scheduleFactor() is PyTorch's at each step: plateau with warm-up", () => {
  const { validationScores, factors, epochSteps, warmupSteps, plateauFactor, plateauPatience } = golden["warm plateau"];
  const settings = { schedule: "plateau", warmupSteps, plateauFactor, plateauPatience } as const;
  for (const [step, expected] of factors.entries()) {
    const done = validationScores.slice(0, Math.floor(step / epochSteps));
    assertFactor(
      scheduleFactor(settings, { step, steps: factors.length, validationScores: done }),
      expected,
      `step ${step}`,
    );
  }
});

Deno.test("scheduleFactor() is 1 throughout a constant schedule without warm-up", () => {
  for (const step of [0, 5, 99]) {
    assert.equal(scheduleFactor(SETTINGS, { step, steps: 100, validationScores: [1, 2, 3] }), 1);
  }
});

Deno.test("scheduleFactor() gives one-cycle no other warm-up", () => {
  const position = { step: 2, steps: 100, validationScores: [] };
  const settings = { ...SETTINGS, schedule: "one-cycle" } as const;
  assert.equal(scheduleFactor({ ...settings, warmupSteps: 50 }, position), scheduleFactor(settings, position));
});

Deno.test("scheduleFactor() lets a run of one step learn", () => {
  for (const schedule of SCHEDULES) {
    assert(scheduleFactor({ ...SETTINGS, schedule }, { step: 0, steps: 1, validationScores: [] }) > 0.1, schedule);
  }
});

Deno.test("scheduleFactor() is 0 to 1 where the warm-up is longer than the run", () => {
  for (const schedule of SCHEDULES) {
    for (const step of [0, 1, 2, 3]) {
      const factor = scheduleFactor({ ...SETTINGS, schedule, warmupSteps: 9 }, {
        step,
        steps: 3,
        validationScores: [],
      });
      assert(factor > 0 && factor <= 1, `${schedule}, step ${step}: ${factor}`);
    }
  }
});
