import assert from "node:assert/strict";
import { examineCaptions } from "../../src/doctor/examine_captions.ts";
import { makeRecipe } from "../../src/pipeline/recipe.ts";
import { prepareTrainingData } from "../../src/pipeline/training_data.ts";
import type { Dataset } from "../../src/data/dataset.ts";

const lists = { train: ["0", "1"], validation: ["2"], test: ["3"] };

function datasetOf(captions: readonly (readonly string[])[]): Dataset {
  const examples = captions.map((captions, index) => ({ name: `${index}`, path: `/${index}`, captions }));
  const rows = examples.flatMap((example) => example.captions.map((caption) => ({ example, caption })));
  return { examples, rows, missing: [], officialSplits: lists, fingerprint: "" };
}

function examineOf(captions: readonly (readonly string[])[], changes: Readonly<Record<string, unknown>>) {
  const recipe = makeRecipe("lrcn", changes);
  const dataset = datasetOf(captions);
  return examineCaptions(dataset, prepareTrainingData(dataset, recipe, 0), recipe);
}

Deno.test("examineCaptions() counts captions by length, and truncated ones", () => {
  const found = examineOf([["a b c", "a b"], ["a b c"], ["a b c d e"], ["a"]], { minCount: 1, maxLength: 3 });
  assert.deepEqual(found.lengths, { 1: 1, 2: 1, 3: 2, 5: 1 });
  assert.equal(found.medianLength, 3);
  assert.equal(found.cut, 1);
});

Deno.test("examineCaptions() returns the fraction of unknown words of each split", () => {
  const found = examineOf([["a kite", "a red kite"], ["a kite"], ["a red kite . !"], ["one boat"]], { minCount: 2 });
  // <pad> <unk> <start> <end> a kite; red is too rare, and the other words are not in the training set.
  assert.equal(found.vocabulary, 6);
  assert.equal(found.skippedWords, 1);
  assert.deepEqual(found.unknownFractions, { train: 1 / 7, validation: 3 / 5, test: 1 });
});
