import assert from "node:assert/strict";
import { describeModels, modelFacts, modelWarning } from "../../src/checkpoint/model_facts.ts";

const METRICS = { cider: 0.5614, mismatchedImageLossGap: 0.4, distinctFraction: 0.7 };
const FIRST = { name: "runs/first", metadata: { epoch: 12, metrics: METRICS } };

Deno.test("describeModels() names model, epoch and CIDEr, as far as the file knows them", () => {
  assert.equal(describeModels([FIRST]), "Model: runs/first (epoch 12, CIDEr 0.561 on validation)");
  assert.equal(
    describeModels([{ ...FIRST, name: "models/a", ships: true }]),
    "Model: models/a, which comes with lrcn (epoch 12, CIDEr 0.561 on validation)",
  );
  assert.equal(describeModels([{ name: "a\n.pth", metadata: {} }]), "Model: a\\u000a.pth");
});

Deno.test("modelFacts() gives an ensemble all names, and the epoch and CIDEr of none", () => {
  assert.deepEqual(modelFacts([FIRST]), { name: "runs/first", epoch: 12, cider: 0.5614 });
  const second = { ...FIRST, name: "runs/second" };
  assert.deepEqual(modelFacts([{ ...FIRST, metadata: { epoch: 0 } }]), {
    name: "runs/first",
    epoch: null,
    cider: null,
  });
  assert.deepEqual(modelFacts([FIRST, second]), { name: "runs/first + runs/second", epoch: null, cider: null });
});

Deno.test("modelWarning() warns where the model's own metrics show that it ignores its images", () => {
  const warningFor = (changes: Partial<typeof METRICS>) =>
    modelWarning({ ...FIRST, metadata: { metrics: { ...METRICS, ...changes } } });
  assert.equal(warningFor({}), undefined);
  assert.match(
    warningFor({ mismatchedImageLossGap: 0.001 }) ?? "",
    /'runs\/first' ignores its images: .* 0\.001 higher/,
  );
  assert.match(warningFor({ distinctFraction: 0.01 }) ?? "", /1\.0% of its captions are distinct/);
  // A single validation image has no mismatched one, and its caption is always distinct.
  assert.equal(warningFor({ mismatchedImageLossGap: 0, distinctFraction: 1 }), undefined);
  assert.equal(modelWarning({ name: "weights.pth", metadata: {} }), undefined);
});
