import assert from "node:assert/strict";
import { learningRates, scheduleFactor, type ScheduleSettings } from "../../src/pipeline/learning_rate.ts";
import { makeRecipe, type Recipe } from "../../src/pipeline/recipe.ts";
import golden from "../golden/schedules.json" with { type: "json" };

const SCHEDULES = ["constant", "cosine", "one-cycle", "plateau"] as const;

const RATES = { frozenLearningRate: 0.5, learningRate: 0.1, encoderLearningRate: 0.01 };

/** The rates at the first step of each epoch. */
function course(changes: Partial<Recipe>, validationScores: readonly number[] = []) {
  const recipe = makeRecipe("lrcn", { ...RATES, ...changes });
  return Array.from(
    { length: recipe.epochs },
    (_, index) =>
      learningRates(recipe, {
        epoch: index + 1,
        step: 0,
        steps: 10,
        validationScores: validationScores.slice(0, index),
      }),
  );
}

Deno.test("learningRates() gives the CNN and the rest their own rates, both along the schedule", () => {
  const rates = course({ epochs: 4, schedule: "cosine" });
  for (const [epoch, { learningRate, encoderLearningRate }] of rates.entries()) {
    const factor = (1 + Math.cos(Math.PI * epoch / 4)) / 2;
    assert(Math.abs(learningRate - 0.1 * factor) < 1e-15);
    assert(Math.abs(encoderLearningRate - 0.01 * factor) < 1e-15);
  }
});

Deno.test("learningRates() runs the schedule while the encoder is frozen, and again while it is fine-tuned", () => {
  const rates = course({ epochs: 4, frozenEpochs: 2, schedule: "cosine" });
  assert.deepEqual(rates[0], { learningRate: 0.5, encoderLearningRate: 0 });
  assert(Math.abs((rates[1]?.learningRate ?? 0) - 0.25) < 1e-15);
  assert.deepEqual(rates[2], { learningRate: 0.1, encoderLearningRate: 0.01 });
  assert(Math.abs((rates[3]?.learningRate ?? 0) - 0.05) < 1e-15);
});

Deno.test("learningRates() runs the schedule over all epochs where the CNN never learns", () => {
  const rates = course({ epochs: 4, frozenEpochs: 4, schedule: "one-cycle" });
  const settings = makeRecipe("lrcn", { schedule: "one-cycle" });
  for (const [epoch, { learningRate, encoderLearningRate }] of rates.entries()) {
    assert.equal(learningRate, 0.5 * scheduleFactor(settings, { step: epoch * 10, steps: 40, validationScores: [] }));
    assert.equal(encoderLearningRate, 0);
  }
});

Deno.test("learningRates() judges a plateau by the epochs in which the CNN learns", () => {
  const plateau = { schedule: "plateau", plateauPatience: 0, plateauFactor: 0.5 } as const;
  // The frozen epochs were better than all that follow, yet the first fine-tuned one is no plateau.
  const rates = course({ epochs: 5, frozenEpochs: 2, ...plateau }, [1, 1, 3, 2, 2]);
  assert.deepEqual(rates.map(({ learningRate }) => learningRate), [0.5, 0.5, 0.1, 0.1, 0.1]);
  assert.deepEqual(course({ epochs: 3, ...plateau }, [3, 3, 3]).map(({ learningRate }) => learningRate), [
    0.1,
    0.1,
    0.05,
  ]);
});

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
