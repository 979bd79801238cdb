import assert from "node:assert/strict";
import { BAD_ENDINGS, captionConstraints } from "../../src/captioning/caption_constraints.ts";
import { findSpecialWords } from "../../src/text/vocabulary.ts";
import type { DecodingOptions } from "../../src/captioning/decoding_options.ts";
import { InputError } from "../../src/input_error.ts";

const WORDS = ["<pad>", "<unk>", "<start>", "<end>", "a", "dog", "runs", "of", ".", "on", "犬"];
const DECODING = { maxLength: 5, beamSize: 3 };

function after(begun: string, options: DecodingOptions = {}, tokenizer: "nltk" | "unicode" = "nltk"): string[] {
  const constraints = captionConstraints(findSpecialWords(WORDS), { ...DECODING, tokenizer }, options);
  const words = begun === "" ? [] : begun.split(" ").map((word) => WORDS.indexOf(word));
  const { permits } = constraints.after(words);
  return WORDS.filter((_, id) => permits(id));
}

Deno.test("captionConstraints() lets all words come but the special ones, and the end after the first", () => {
  assert.deepEqual(after(""), ["a", "dog", "runs", "of", ".", "on", "犬"]);
  assert.deepEqual(after("dog"), ["<end>", "a", "dog", "runs", "of", ".", "on", "犬"]);
});

Deno.test("captionConstraints() lets no English caption end badly, with a full stop or without", () => {
  assert.deepEqual(after("a"), ["a", "dog", "runs", "of", "on", "犬"]);
  // The last word may not be one either.
  assert.deepEqual(after("a dog runs on"), ["<end>", "dog", "runs", ".", "on", "犬"]);
  assert.deepEqual(after("a", {}, "unicode"), after("dog"));
  assert.deepEqual(after("a", { badEndings: [] }), after("dog"));
  assert.deepEqual(after("dog", { badEndings: ["dog", "unheard"] }), ["a", "dog", "runs", "of", "on", "犬"]);
});

Deno.test("captionConstraints() lets captions end badly where the vocabulary has no other words", () => {
  const words = ["<pad>", "<unk>", "<start>", "<end>", "a", "of", "the"];
  assert(captionConstraints(findSpecialWords(words), DECODING, {}).after([4]).permits(3));
});

Deno.test("captionConstraints() finds words as the model's tokenizer writes them", () => {
  assert.deepEqual(after("dog", { forbidden: ["Dog", "unheard"] }), ["<end>", "a", "runs", "of", ".", "on", "犬"]);
  assert.deepEqual(after("", { prefix: "A DOG runs." }), ["a"]);
  assert.deepEqual(after("a dog runs", { prefix: "A DOG runs." }), ["."]);
  assert.deepEqual(after("a dog", { forced: ["Runs"], maxLength: 3 }), ["runs"]);
  assert.deepEqual(after("", { prefix: "犬" }, "unicode"), ["犬"]);
});

Deno.test("captionConstraints() knows bad endings that people do not end with", () => {
  for (const word of ["a", "the", "of"]) assert(BAD_ENDINGS.includes(word));
  for (const word of ["on", "by", "off", "it"]) assert(!BAD_ENDINGS.includes(word));
});

const REFUSED: Record<string, [options: DecodingOptions, message: RegExp]> = {
  "a forced word that the model does not know": [
    { forced: ["unheard"] },
    /^Cannot force 'unheard': the model does not know the word 'unheard'; choose another$/,
  ],
  "a beginning that the model does not know": [
    { prefix: "a unheard dog" },
    /^Cannot begin with 'a unheard dog': the model does not know the word 'unheard'; choose another$/,
  ],
  "several words for one": [
    { forced: ["dog runs"] },
    /^Cannot force 'dog runs': it is not one word; give one word at a time$/,
  ],
  "no word for one": [{ forbidden: [" "] }, /^Cannot forbid ' ': it is not one word; give one word at a time$/],
  "a special word": [{ forced: ["<end>"] }, /^Cannot force '<end>': it is not one word; give one word at a time$/],
  "words forced and forbidden": [{ forced: ["dog"], forbidden: ["dog"] }, /a word is both forced and forbidden/],
};

for (const [what, [options, message]] of Object.entries(REFUSED)) {
  Deno.test(`captionConstraints() refuses ${what} in one line`, () => {
    assert.throws(() => after("", options), (error) => {
      assert(error instanceof InputError);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("captionConstraints() finds a word with an accent in both forms, in either vocabulary", () => {
  for (const form of ["NFC", "NFD"]) {
    const words = ["<pad>", "<unk>", "<start>", "<end>", "un", "caf\u00e9".normalize(form)];
    for (const prefix of ["caf\u00e9", "cafe\u0301"]) {
      const { permits } = captionConstraints(findSpecialWords(words), DECODING, { prefix }).after([]);
      assert.deepEqual([permits(4), permits(5)], [false, true], form);
    }
  }
});
