import assert from "node:assert/strict";
import { Engine } from "../../src/ffi/engine.ts";
import golden from "../golden/model.json" with { type: "json" };
import { fillModel, goldenBatch, modelSettings } from "../support/golden_batch.ts";
import { logitsOf } from "../support/test_abi.ts";
import { nativeTest } from "../support/native_test_case.ts";

/** Log-softmax of logits at a token. */
function logProbability(logits: Float64Array, word: number): number {
  const most = Math.max(...logits);
  return (logits[word] ?? NaN) - most - Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
}

for (const name of ["1u every", "4f first"] as const) {
  const settings = golden.cases[name].case;
  const model = modelSettings(settings);
  const batch = goldenBatch(name, settings);
  const rows = batch.imageOfRow.length;

  nativeTest(`Engine.score() sums the log-probabilities of each caption's counted tokens: ${name}`, async () => {
    using engine = await Engine.open(model, { device: "cpu", precision: "fp64" });
    await fillModel(engine);
    const { vocabularySize } = model;
    const logits = await logitsOf(engine, batch, vocabularySize);
    const expected = Array.from({ length: rows }, (_, row) => {
      let sum = 0;
      for (let step = row * batch.targetsLength; step < (row + 1) * batch.targetsLength; step++) {
        const target = batch.targets[step] ?? NaN;
        if (target < 0) continue;
        sum += logProbability(logits.subarray(step * vocabularySize, (step + 1) * vocabularySize), target);
      }
      return sum;
    });
    assert(batch.targets.some((target) => target < 0), "all tokens count");
    const scores = await engine.score(batch);
    for (const [row, score] of scores.entries()) assert(Math.abs(score - (expected[row] ?? NaN)) < 1e-10);
    const { loss, tokens } = await engine.evaluateStep(batch);
    assert(Math.abs(scores.reduce((sum, score) => sum + score, 0) + loss * tokens) < 1e-8);
    const features = await engine.score({ ...batch, images: await engine.encode(batch.images) });
    for (const [row, score] of scores.entries()) assert(Math.abs(score - (features[row] ?? NaN)) < 1e-5);
  });

  nativeTest(
    `Engine.score() gives the same for many rows, and 0 for rows without a counted token: ${name}`,
    async () => {
      using engine = await Engine.open(model, { device: "cpu", precision: "fp64" });
      await fillModel(engine);
      const few = await engine.score(batch);
      const times = Math.ceil(200 / rows);
      const again = <Row extends Int32Array>(values: Row) => Array.from({ length: times }, () => [...values]).flat();
      const targets = Int32Array.from(again(batch.targets));
      const silent = 100 * batch.targetsLength;
      targets.fill(-1, 0, silent);
      const many = await engine.score({
        ...batch,
        imageOfRow: Int32Array.from(again(batch.imageOfRow)),
        inputs: Int32Array.from(again(batch.inputs)),
        targets,
      });
      assert.equal(many.length, rows * times);
      for (const [row, score] of many.entries()) {
        assert(Math.abs(score - (row < 100 ? 0 : few[row % rows] ?? NaN)) < 1e-10, String(row));
      }
    },
  );
}
