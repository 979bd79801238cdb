import assert from "node:assert/strict";
import { learningRates } from "../../src/pipeline/learning_rates.ts";
import { makeRecipe, type Recipe } from "../../src/pipeline/recipe.ts";
import { scheduleFactor } from "../../src/pipeline/schedule.ts";

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

Deno.test("learningRates() keeps to one rate while the CNN is frozen, and begins the schedule when it learns", () => {
  const rates = course({ epochs: 4, frozenEpochs: 2, schedule: "cosine" });
  assert.deepEqual(rates.slice(0, 2), Array(2).fill({ learningRate: 0.5, encoderLearningRate: 0 }));
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
