import assert from "node:assert/strict";
import { Engine } from "../../src/ffi/engine.ts";
import golden from "../golden/explain.json" with { type: "json" };
import type { PixelBatch } from "./batches.ts";
import { changed, digests } from "./engine_state.ts";
import { integers } from "./formula.ts";
import { fillModel, goldenBatch, type GoldenCase, modelSettings } from "../support/golden_batch.ts";
import { assertClose } from "./golden_numbers.ts";
import { nativeTest } from "../support/native_test_case.ts";

interface Entry {
  readonly case: GoldenCase;
  readonly height: number;
  readonly width: number;
  readonly rows: number;
  readonly columns: number;
  readonly probabilities: readonly number[];
  readonly heat: readonly number[];
}

const cases: Record<string, Entry> = golden.cases;
const BOUNDS = [["fp64", 1e-8], ["fp32", 1e-4], ["bf16", 0.15]] as const;
const STATE = ["parameter", "buffer", "gradient", "optimizer", "random"] as const;

/** The image of tests/golden/explain.py with the last caption of its batch. */
function explained(name: string, { case: settings, height, width }: Entry): PixelBatch {
  const { inputs, inputsLength, targets, targetsLength } = goldenBatch(name, settings);
  const pixels = Uint8Array.from(integers(`${name} picture`, height * width * 3, 256));
  return {
    images: { count: 1, height, width, pixels },
    imageOfRow: Int32Array.of(0),
    inputs: inputs.slice(-inputsLength),
    inputsLength,
    targets: targets.slice(-targetsLength),
    targetsLength,
  };
}

for (const [name, entry] of Object.entries(cases)) {
  nativeTest(`Engine.explain() gives the heat maps of PyTorch's autograd: ${name}`, async () => {
    const warmest = Math.max(...entry.heat);
    for (const [precision, bound] of BOUNDS) {
      using engine = await Engine.open(modelSettings(entry.case), { device: "cpu", precision });
      await fillModel(engine);
      const { rows, columns, probabilities, heat } = await engine.explain(explained(name, entry));
      assert.deepEqual([rows, columns], [entry.rows, entry.columns]);
      assert.deepEqual([probabilities.length, heat.length], [entry.probabilities.length, entry.heat.length]);
      for (const [index, value] of probabilities.entries()) {
        const expected = entry.probabilities[index] ?? NaN;
        assertClose(value, expected, bound * expected, `${precision} probability ${index}`);
      }
      for (const [index, value] of heat.entries()) {
        assertClose(value, entry.heat[index] ?? NaN, bound * warmest, `${precision} heat ${index}`);
      }
    }
  });
}

for (const name of ["2f every", "1u first", "notebook"]) {
  const entry = cases[name];
  assert(entry !== undefined);
  const batch = explained(name, entry);

  nativeTest(`Engine.explain() gives each token the same probability as Engine.score(): ${name}`, async () => {
    for (const [precision, bound] of [["fp64", 1e-9], ["fp32", 1e-4]] as const) {
      using engine = await Engine.open(modelSettings(entry.case), { device: "cpu", precision });
      await fillModel(engine);
      const { probabilities } = await engine.explain(batch);
      for (const [position, target] of batch.targets.entries()) {
        const alone = new Int32Array(batch.targetsLength).fill(-1);
        alone[position] = target;
        const [score = NaN] = target < 0 ? [-Infinity] : await engine.score({ ...batch, targets: alone });
        const expected = Math.exp(score);
        assertClose(probabilities[position] ?? NaN, expected, bound * expected, `${precision} token ${position}`);
      }
    }
  });

  nativeTest(`Engine.explain() changes no parameter, statistic, moment or gradient: ${name}`, async () => {
    using engine = await Engine.open(modelSettings(entry.case), { device: "cpu", precision: "fp32" });
    await engine.explain(batch);
    assert.equal((await engine.tensors()).filter(({ kind }) => kind === "gradient").length, 0);
    await engine.trainStep([batch], {
      optimizer: "adamw",
      learningRate: 1e-3,
      encoderLearningRate: 1e-4,
    });
    const before = await digests(engine, STATE);
    assert(Object.keys(before).some((tensor) => tensor.startsWith("grad.")));
    await engine.explain(batch);
    assert.deepEqual(changed(before, await digests(engine, STATE)), []);
  });
}
