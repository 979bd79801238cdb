import assert from "node:assert/strict";
import { scheduleFactor, SCHEDULES, type ScheduleSettings } from "../../src/pipeline/schedule.ts";
import golden from "../golden/schedules.json" with { type: "json" };

const SETTINGS: ScheduleSettings = { schedule: "constant", warmupSteps: 0, plateauFactor: 0.5, plateauPatience: 2 };

/** Fails unless a factor is PyTorch's but for rounding. */
function assertShare(factor: number, share: number | undefined, at: string): void {
  assert(share !== undefined && Math.abs(factor - share) < 1e-12, `${at}: ${factor}, not ${share}`);
}

for (const schedule of ["constant", "one-cycle", "cosine"] as const) {
  Deno.test(`scheduleFactor() is PyTorch's: ${schedule}`, () => {
    for (const { steps, warmupSteps, shares } of golden.schedules[schedule]) {
      for (const [step, share] of shares.entries()) {
        const factor = scheduleFactor({ ...SETTINGS, schedule, warmupSteps }, { step, steps, criteria: [] });
        assertShare(factor, share, `step ${step} of ${steps}, ${warmupSteps} of warm-up`);
      }
    }
  });
}

Deno.test("scheduleFactor() is PyTorch's after each epoch: plateau", () => {
  for (const { criteria, shares, plateauFactor, plateauPatience } of golden.plateaus) {
    const settings = { ...SETTINGS, schedule: "plateau", plateauFactor, plateauPatience } as const;
    for (const [epochs, share] of shares.entries()) {
      const position = { step: epochs, steps: criteria.length, criteria: criteria.slice(0, epochs) };
      assertShare(scheduleFactor(settings, position), share, `${criteria} after ${epochs}`);
    }
  }
});

Deno.test("scheduleFactor() is PyTorch's at each step: plateau with warm-up", () => {
  const { criteria, shares, epochSteps, warmupSteps, plateauFactor, plateauPatience } = golden["warm plateau"];
  const settings = { schedule: "plateau", warmupSteps, plateauFactor, plateauPatience } as const;
  for (const [step, share] of shares.entries()) {
    const done = criteria.slice(0, Math.floor(step / epochSteps));
    assertShare(scheduleFactor(settings, { step, steps: shares.length, criteria: done }), share, `step ${step}`);
  }
});

Deno.test("scheduleFactor() is 1 throughout a constant schedule without warm-up", () => {
  for (const step of [0, 5, 99]) assert.equal(scheduleFactor(SETTINGS, { step, steps: 100, criteria: [1, 2, 3] }), 1);
});

Deno.test("scheduleFactor() gives one-cycle no other warm-up", () => {
  const position = { step: 2, steps: 100, criteria: [] };
  const settings = { ...SETTINGS, schedule: "one-cycle" } as const;
  assert.equal(scheduleFactor({ ...settings, warmupSteps: 50 }, position), scheduleFactor(settings, position));
});

Deno.test("scheduleFactor() lets a run of one step learn", () => {
  for (const schedule of SCHEDULES) {
    assert(scheduleFactor({ ...SETTINGS, schedule }, { step: 0, steps: 1, criteria: [] }) > 0.1, schedule);
  }
});

Deno.test("scheduleFactor() is 0 to 1 where the warm-up is longer than the run", () => {
  for (const schedule of SCHEDULES) {
    for (const step of [0, 1, 2, 3]) {
      const factor = scheduleFactor({ ...SETTINGS, schedule, warmupSteps: 9 }, { step, steps: 3, criteria: [] });
      assert(factor > 0 && factor <= 1, `${schedule}, step ${step}: ${factor}`);
    }
  }
});
