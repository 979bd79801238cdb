import assert from "node:assert/strict";
import { checkpointSplit } from "../../src/evaluation/checkpoint_split.ts";
import { splitByImage } from "../../src/data/splits.ts";
import { InputError } from "../../src/input_error.ts";
import { drawnDataset } from "../support/drawn_data.ts";

const dataset = drawnDataset(20);
const names = dataset.examples.map(({ name }) => name);
const trained = { recipe: "lrcn", splitSeed: 7, datasetFingerprint: dataset.fingerprint };

Deno.test("checkpointSplit() reproduces the split of the checkpoint's training", () => {
  const { examples, trainingExamples, notes } = checkpointSplit(dataset, "test", trained);
  const expected = splitByImage(dataset.examples, { seed: 7 });
  assert.deepEqual([examples, trainingExamples, notes], [expected.test, expected.train, []]);
  assert.deepEqual(checkpointSplit(dataset, "validation", trained).examples, expected.validation);
});

Deno.test("checkpointSplit() uses the dataset's official split if it has one", () => {
  const officialSplits = { train: names.slice(0, 10), validation: names.slice(10, 15), test: names.slice(15) };
  const { examples, notes } = checkpointSplit({ ...dataset, officialSplits }, "test", {});
  assert.deepEqual([examples.map(({ name }) => name), notes], [names.slice(15), []]);
});

Deno.test("checkpointSplit() returns all images if asked", () => {
  assert.deepEqual(checkpointSplit(dataset, "all", {}), {
    examples: dataset.examples,
    trainingExamples: [],
    notes: [],
  });
});

Deno.test("checkpointSplit() warns if the images may be in the training set", () => {
  const [other] = checkpointSplit(dataset, "test", { ...trained, datasetFingerprint: "other" }).notes;
  assert.match(other ?? "", /^Warning: the model was trained on other data/);
  const [notebook] = checkpointSplit(dataset, "test", { ...trained, splitBy: "caption" }).notes;
  assert.match(notebook ?? "", /^Warning: the model's data was split by caption/);
});

Deno.test("checkpointSplit() refuses a random split without a seed", () => {
  assert.throws(() => checkpointSplit(dataset, "test", {}), InputError);
});
