import assert from "node:assert/strict";
import type { Dataset } from "../../src/data/dataset.ts";
import { makeRecipe } from "../../src/pipeline/recipe.ts";
import { prepareTrainingData } from "../../src/pipeline/training_data.ts";
import { wordWarnings } from "../../src/pipeline/word_warnings.ts";

function warningsOf(captions: readonly string[], minCount: number): string[] {
  const examples = captions.map((caption, index) => ({ name: `${index}`, path: `/${index}`, captions: [caption] }));
  const rows = examples.map((example) => ({ example, caption: example.captions[0] ?? "" }));
  const officialSplits = {
    train: captions.map((_, index) => `${index}`).slice(0, -2),
    validation: [`${captions.length - 2}`],
    test: [],
  };
  const dataset: Dataset = { examples, rows, missing: [], fingerprint: "", officialSplits };
  const recipe = makeRecipe("lrcn", { minCount });
  return wordWarnings(prepareTrainingData(dataset, recipe, 0), recipe);
}

Deno.test("wordWarnings() says that most words are too rare, and what to do", () => {
  const captions = ["a red kite", "a blue boat", "a green car", "a pink cow", "a", "a"];
  assert.deepEqual(warningsOf(captions, 4), [
    "66.7% of the words of training captions are unknown (<unk>): they occur fewer than 4 times in the training set; give a " +
    "lower --set minCount=..., or more captions",
  ]);
  assert.deepEqual(warningsOf(captions, 1), []);
});

Deno.test("wordWarnings() names a part of the captions that the tokenizer does not split", () => {
  const [warning, ...others] = warningsOf(["a kite", "a kite", "a boat", "一个女孩在公园里放风筝。", "a", "a"], 1);
  assert.match(warning ?? "", /^25\.0% of the training captions are in a script without spaces between words, and /);
  assert.deepEqual(others, []);
});
