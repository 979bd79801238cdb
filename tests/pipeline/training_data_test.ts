import assert from "node:assert/strict";
import { InputError } from "../../src/input_error.ts";
import { collateMasked } from "../../src/ffi/collate.ts";
import type { Dataset, Example } from "../../src/data/dataset.ts";
import { makeRecipe } from "../../src/pipeline/recipe.ts";
import { keepDecoded, limitExamples, prepareTrainingData } from "../../src/pipeline/training_data.ts";

/** A dataset with images called by number. */
function datasetOf(captions: readonly (readonly string[])[], officialSplits?: Dataset["officialSplits"]): Dataset {
  const examples = captions.map((list, index): Example => ({
    name: `${index}.jpg`,
    path: `/images/${index}.jpg`,
    captions: list,
  }));
  return {
    examples,
    rows: examples.flatMap((example) => example.captions.map((caption) => ({ example, caption }))),
    missing: [],
    fingerprint: "",
    ...(officialSplits && { officialSplits }),
  };
}

/** Twenty images; image i has the words `w<i>` and, in its second caption, `v<i>`. */
const TWENTY = datasetOf(Array.from({ length: 20 }, (_, index) => [`A w${index} kite .`, `Two v${index} boats`]));
const LISTED = datasetOf([["a red kite", "a red fox"], ["the blue boat"], ["a green car"], ["a pink cow"]], {
  train: ["0.jpg", "gone.jpg"],
  validation: ["1.jpg"],
  test: ["2.jpg"],
});
/** Ten captions of three images, with lists that the notebook does not know of. */
const LISTED_TEN = datasetOf(
  [new Array(2).fill("A red kite"), new Array(7).fill("The boat sinks"), ["One cow"]],
  { train: ["0.jpg"], validation: ["1.jpg"], test: ["2.jpg"] },
);

const names = (examples: readonly { example: Example }[]) => examples.map(({ example }) => example.name);

Deno.test("prepareTrainingData() takes the lrcn vocabulary from the train split alone", () => {
  const { vocabulary, splits } = prepareTrainingData(LISTED, makeRecipe("lrcn", { minCount: 1 }), 0);
  assert.deepEqual(vocabulary.words, ["<pad>", "<unk>", "<start>", "<end>", "a", "red", "kite", "fox"]);
  assert.deepEqual([names(splits.train), names(splits.validation), names(splits.test)], [
    ["0.jpg"],
    ["1.jpg"],
    ["2.jpg"],
  ]);
  assert.equal(splits.skipped, 1);
  assert.deepEqual(splits.train[0]?.captions, [Int32Array.of(2, 4, 5, 6, 3), Int32Array.of(2, 4, 5, 7, 3)]);
  assert.deepEqual(splits.validation[0]?.captions, [Int32Array.of(2, 1, 1, 1, 3)]);
});

Deno.test("prepareTrainingData() leaves rare words out of the lrcn vocabulary and cuts long captions", () => {
  const recipe = makeRecipe("lrcn", { minCount: 2, maxLength: 2 });
  const { vocabulary, splits } = prepareTrainingData(LISTED, recipe, 0);
  assert.deepEqual(vocabulary.words.slice(4), ["a", "red"]);
  assert.deepEqual(splits.train[0]?.captions[0], Int32Array.of(2, 4, 5, 3));
});

Deno.test("prepareTrainingData() splits images by the seed where there are no lists", () => {
  const recipe = makeRecipe("lrcn", { minCount: 1 });
  const { splits } = prepareTrainingData(TWENTY, recipe, 1);
  assert.deepEqual([splits.train.length, splits.validation.length, splits.test.length], [16, 2, 2]);
  const all = [...names(splits.train), ...names(splits.validation), ...names(splits.test)];
  assert.equal(new Set(all).size, 20);
  assert.deepEqual(names(prepareTrainingData(TWENTY, recipe, 1).splits.test), names(splits.test));
  assert.notDeepEqual(names(prepareTrainingData(TWENTY, recipe, 2).splits.train), names(splits.train));
});

Deno.test("prepareTrainingData() takes the notebook's vocabulary from all captions, in order of appearance", () => {
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const { vocabulary } = prepareTrainingData(LISTED_TEN, makeRecipe("notebook"), seed);
    assert.deepEqual(vocabulary.words, ["<pad>", "<unk>", "a", "red", "kite", "the", "boat", "sinks", "one", "cow"]);
  }
  const { splits } = prepareTrainingData(LISTED_TEN, makeRecipe("notebook"), 0);
  assert.deepEqual([splits.train.length, splits.validation.length, splits.test.length], [8, 1, 1]);
  const examples = [...splits.train, ...splits.validation, ...splits.test];
  const captions = examples.map(({ captions }) => captions);
  assert(captions.every((list) => list.length === 1 && list[0]?.length === 30));
  const expected = Int32Array.from({ length: 30 }, (_, index) => [2, 3, 4][index] ?? 0);
  assert.deepEqual(captions.filter(([caption]) => caption?.[1] === 3)[0]?.[0], expected);
});

Deno.test("prepareTrainingData() finds the commonest first word of the training captions", () => {
  const official = { train: ["0.jpg"], validation: ["1.jpg"], test: ["2.jpg"] };
  const dataset = datasetOf([["the kite", "A fox", "a cow", "the car", "one the"], ["one"], ["one", "one"]], official);
  // "the" and "a" begin two captions each; "the" came first.
  assert.equal(prepareTrainingData(dataset, makeRecipe("lrcn", { minCount: 1 }), 0).firstWord, "the");
  assert.equal(prepareTrainingData(LISTED_TEN, makeRecipe("notebook"), 0).firstWord, "the");
});

Deno.test("prepareTrainingData() refuses captions of which no word is common enough, and says what to give", () => {
  const official = { train: ["0.jpg"], validation: ["1.jpg"], test: ["2.jpg"] };
  const dataset = datasetOf([["a dog", "two cats"], ["a dog"], ["a cat"]], official);
  assert.throws(
    () => prepareTrainingData(dataset, makeRecipe("lrcn"), 0),
    /^InputError: Cannot train: no word occurs 5 times in the 2 training captions; give --set minCount=1$/,
  );
});

Deno.test("prepareTrainingData() refuses scripts without spaces under the default tokenizer", () => {
  const official = { train: ["0.jpg"], validation: ["1.jpg"], test: ["2.jpg"] };
  for (
    const caption of [
      "一个女孩在公园里放风筝。",
      "赤い傘を持った女の子が犬と歩いている。",
      "เด็กเล่นว่าวในสวน",
      "ເດັກນ້ອຍຫຼິ້ນວ່າວໃນສວນ",
    ]
  ) {
    const dataset = datasetOf([new Array(10).fill(caption), new Array(10).fill(caption), [caption]], official);
    for (const recipe of ["lrcn", "notebook"] as const) {
      assert.throws(
        () => prepareTrainingData(dataset, makeRecipe(recipe, recipe === "lrcn" ? { minCount: 1 } : {}), 0),
        /^InputError: Cannot train: the captions are in a script without spaces .*; give --tokenizer unicode, which needs/,
        caption,
      );
    }
    const { vocabulary, unsplitFraction } = prepareTrainingData(
      dataset,
      makeRecipe("lrcn", { minCount: 1, tokenizer: "unicode" }),
      0,
    );
    assert(vocabulary.size > 7);
    assert.equal(unsplitFraction, 0);
  }
});

Deno.test("prepareTrainingData() keeps a caption without tokens as a start and an end, which make a batch", () => {
  // U+3164 is a letter to Unicode, and no word.
  const dataset = datasetOf([["凧 凧"], ["\u3164"], ["\u3164"]], {
    train: ["0.jpg"],
    validation: ["1.jpg"],
    test: ["2.jpg"],
  });
  const { splits } = prepareTrainingData(dataset, makeRecipe("lrcn", { minCount: 1, tokenizer: "unicode" }), 0);
  const captions = splits.validation.map((example) => example.captions);
  assert.deepEqual(captions, [[Int32Array.of(2, 3)]]);
  assert.equal(collateMasked({ count: 1, width: 1, values: new Float32Array(1) }, captions).targetsLength, 1);
});

Deno.test("prepareTrainingData() finds the commonest of 200,000 first words", () => {
  const captions = [...Array.from({ length: 200_000 }, (_, index) => `w${index} x`), "w7 x"];
  const dataset = datasetOf([captions, ["a"], ["b"]], { train: ["0.jpg"], validation: ["1.jpg"], test: ["2.jpg"] });
  assert.equal(prepareTrainingData(dataset, makeRecipe("lrcn"), 0).firstWord, "w7");
});

Deno.test("prepareTrainingData() refuses a dataset too small to be split", () => {
  const small = datasetOf([["a"], ["b"]]);
  for (const name of ["lrcn", "notebook"] as const) {
    assert.throws(() => prepareTrainingData(small, makeRecipe(name), 0), InputError);
  }
});

Deno.test("keepDecoded() leaves out the examples whose image has no pixels", () => {
  const { splits } = prepareTrainingData(TWENTY, makeRecipe("lrcn"), 0);
  const missing = splits.train[3]?.example;
  const kept = keepDecoded(splits, TWENTY.examples.filter((example) => example !== missing));
  assert.deepEqual(kept.train, splits.train.filter(({ example }) => example !== missing));
  assert.deepEqual([kept.validation, kept.test], [splits.validation, splits.test]);
});

Deno.test("keepDecoded() refuses a train or validation split without pixels, by its name", () => {
  const { splits } = prepareTrainingData(TWENTY, makeRecipe("lrcn"), 0);
  for (const part of ["train", "validation"] as const) {
    const gone = new Set(names(splits[part]));
    const rest = TWENTY.examples.filter(({ name }) => !gone.has(name));
    assert.throws(
      () => keepDecoded(splits, rest),
      (error) => error instanceof InputError && error.message.includes(`none of the ${part} split's images`),
    );
  }
  const tests = new Set(names(splits.test));
  assert.deepEqual(keepDecoded(splits, TWENTY.examples.filter(({ name }) => !tests.has(name))).test, []);
});

Deno.test("limitExamples() keeps so many images, drawn by the seed, with all their captions, in order", () => {
  const limited = limitExamples(TWENTY, 5, 1);
  assert.equal(limited.examples.length, 5);
  assert.deepEqual(
    limited.examples,
    TWENTY.examples.filter((example) => limited.examples.includes(example)),
  );
  assert.deepEqual(limited.rows, TWENTY.rows.filter(({ example }) => limited.examples.includes(example)));
  assert.deepEqual(limitExamples(TWENTY, 5, 1), limited);
  assert.notDeepEqual(limitExamples(TWENTY, 5, 2).examples, limited.examples);
  assert.deepEqual(limitExamples(TWENTY, 100, 1), TWENTY);
});

Deno.test("limitExamples() draws among the images of the official lists", () => {
  for (let seed = 0; seed < 10; seed++) {
    assert(!limitExamples(LISTED, 3, seed).examples.some(({ name }) => name === "3.jpg"));
  }
});

Deno.test("prepareTrainingData() splits captions by the recipe's tokenizer", () => {
  const words = (tokenizer: "nltk" | "unicode") =>
    prepareTrainingData(
      datasetOf([["犬が走る", "a dog isn't here"], ["b"], ["c"]], LISTED.officialSplits),
      makeRecipe("lrcn", { minCount: 1, tokenizer }),
      0,
    ).vocabulary.words.slice(4);
  assert.deepEqual(words("nltk"), ["犬が走る", "a", "dog", "is", "n't", "here"]);
  assert.deepEqual(words("unicode"), ["犬", "が", "走る", "a", "dog", "isn't", "here"]);
});
