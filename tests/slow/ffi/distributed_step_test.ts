import assert from "node:assert/strict";
import type { TrainStepOptions } from "../../../src/ffi/settings.ts";
import type { RankReport, RankTask } from "./rank_process.ts";
import { canStartRanks, rendezvousOf, startRank, trainTogether } from "./start_ranks.ts";

const TOLERANCE = 1e-8;
const STEP: TrainStepOptions = {
  ...{ optimizer: "adam", learningRate: 1e-2, encoderLearningRate: 1e-3, maxGradientNorm: 0.25 },
  weightDecay: 0.01,
};
const TASK: Omit<RankTask, "rendezvous"> = {
  ...{ caseName: "1u every", images: 8, options: STEP, gradientAccumulationSteps: 1, steps: 5, timeout: 30 },
};

function assertClose(actual: readonly number[], expected: readonly number[], what: string): void {
  assert.equal(actual.length, expected.length, what);
  const worst = actual.reduce((most, value, index) => Math.max(most, Math.abs(value - (expected[index] ?? NaN))), 0);
  assert(worst <= TOLERANCE, `${what} differ by ${worst}`);
}

/** Asserts that the ranks' results equal those of one process. */
function assertSame(group: readonly RankReport[], alone: RankReport): void {
  for (const { results, parameters } of group) {
    assertClose(parameters, alone.parameters, "parameters");
    for (const [step, { loss, tokens, gradientNorm }] of results.entries()) {
      const expected = alone.results[step];
      assert.equal(tokens, expected?.tokens);
      assertClose(
        [loss, gradientNorm],
        [expected?.loss ?? NaN, expected?.gradientNorm ?? NaN],
        `numbers of step ${step}`,
      );
    }
  }
}

const CASES: Record<string, Partial<RankTask>> = {
  "with BatchNorm's statistics frozen": { options: { ...STEP, batchNorm: "frozen" } },
  "with BatchNorm synchronized": { options: { ...STEP, batchNorm: "synchronized" } },
  "with a part of the CNN frozen": { options: { ...STEP, trainableFrom: "layer3", batchNorm: "synchronized" } },
  "with gradients added up, in another arrangement of LSTMs": {
    ...{ caseName: "2f every", gradientAccumulationSteps: 2 },
    options: { ...STEP, optimizer: "adamw", batchNorm: "frozen" },
  },
};

for (const [name, changes] of Object.entries(CASES)) {
  Deno.test({
    name: `two processes with half a batch each take the steps of one with all of it, ${name}`,
    ignore: !canStartRanks,
    async fn() {
      const task = { ...TASK, ...changes };
      const [alone] = await trainTogether(1, task);
      const group = await trainTogether(2, task);
      assert(alone !== undefined);
      assertSame(group, alone);
      if (task.options.batchNorm === "synchronized") {
        for (const { buffers } of group) assertClose(buffers, alone.buffers, "BatchNorm's statistics");
      }
    },
  });
}

Deno.test({
  name: "four processes take the steps of one, and others with their own batch statistics",
  ignore: !canStartRanks,
  async fn() {
    const [alone] = await trainTogether(1, { ...TASK, steps: 2 });
    assert(alone !== undefined);
    assertSame(await trainTogether(4, { ...TASK, steps: 2, options: { ...STEP, batchNorm: "synchronized" } }), alone);
    const group = await trainTogether(2, { ...TASK, steps: 2 });
    assert.deepEqual(group[0]?.parameters, group[1]?.parameters);
    assert.throws(() => assertSame(group, alone));
  },
});

Deno.test({
  name: "if a process dies in a step, the others end with an error",
  ignore: !canStartRanks,
  async fn() {
    const killed = 1;
    const processes = rendezvousOf(4).map((rendezvous) =>
      startRank("rank_process.ts", { ...TASK, rendezvous, killed })
    );
    const outputs = await Promise.all(processes.map((process) => process.output()));
    for (const [rank, { code, stderr }] of outputs.entries()) {
      if (rank === killed) continue;
      assert.equal(code, 1);
      assert.match(
        new TextDecoder().decode(stderr),
        /InputError: Cannot train a step: another process has ended or does not answer \(.+\); see its output\n/,
      );
    }
  },
});
