import assert from "node:assert/strict";
import { InputError } from "../../src/input_error.ts";
import type { Example } from "../../src/data/dataset.ts";
import { splitByCaption, splitByImage, splitOfficially } from "../../src/data/splits.ts";

function makeExamples(count: number): Example[] {
  return Array.from({ length: count }, (_, index) => ({ name: `${index}.jpg`, path: `${index}.jpg`, captions: ["x"] }));
}

function names(examples: readonly Example[]): string[] {
  return examples.map((example) => example.name);
}

Deno.test("splitByImage() puts no image into two splits and each into one", () => {
  const examples = makeExamples(57);
  const { train, validation, test, skipped } = splitByImage(examples, { seed: 3 });
  assert.deepEqual([train.length, validation.length, test.length, skipped], [45, 5, 7, 0]);
  assert.deepEqual(new Set([...train, ...validation, ...test]), new Set(examples));
});

Deno.test("splitByImage() gives the same splits for the same seed and others for another", () => {
  const examples = makeExamples(40);
  assert.deepEqual(splitByImage(examples, { seed: 3 }), splitByImage(examples, { seed: 3 }));
  assert.notDeepEqual(splitByImage(examples, { seed: 3 }), splitByImage(examples, { seed: 4 }));
});

Deno.test("splitByCaption() has the notebook's sizes and loses no row", () => {
  const rows = Array.from({ length: 4375 }, (_, index) => index);
  const { train, validation, test } = splitByCaption(rows, { seed: 0 });
  assert.deepEqual([train.length, validation.length, test.length], [3500, 437, 438]);
  assert.equal(new Set([...train, ...validation, ...test]).size, 4375);
  assert.notDeepEqual(train, rows.slice(0, 3500));
});

Deno.test("splitOfficially() follows the lists, keeps the order and counts examples in no list", () => {
  const lists = { train: ["4.jpg", "0.jpg", "gone.jpg"], validation: ["2.jpg"], test: ["1.jpg"] };
  const splits = splitOfficially(makeExamples(6), lists);
  assert.deepEqual(names(splits.train), ["0.jpg", "4.jpg"]);
  assert.deepEqual(names(splits.validation), ["2.jpg"]);
  assert.deepEqual(names(splits.test), ["1.jpg"]);
  assert.equal(splits.skipped, 2);
});

Deno.test("an empty split is an error that says how many there are and how many are needed", () => {
  const isInputError = (message: RegExp) => (error: unknown) =>
    error instanceof InputError && message.test(error.message) && !error.message.includes("\n");
  assert.throws(() => splitByImage(makeExamples(9), { seed: 0 }), isInputError(/has 9 images, .* at least 10/));
  assert.throws(() => splitByCaption([1, 2], { seed: 0 }), isInputError(/has 2 captions, .* at least 10/));
  const lists = { train: ["0.jpg"], validation: ["7.jpg", "8.jpg"], test: ["1.jpg"] };
  assert.throws(
    () => splitOfficially(makeExamples(3), lists),
    isInputError(/none of its 3 images is among the 2 of the official validation list; at least 1 is needed/),
  );
});

Deno.test("splitOfficially() lets the test be empty, which training does not need", () => {
  const { train, test, skipped } = splitOfficially(makeExamples(3), {
    train: ["0.jpg"],
    validation: ["1.jpg"],
    test: ["7.jpg"],
  });
  assert.deepEqual([names(train), test, skipped], [["0.jpg"], [], 1]);
});
