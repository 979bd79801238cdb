import assert from "node:assert/strict";
import { join } from "node:path";
import golden from "../golden/tokenizer.json" with { type: "json" };
import { tokenize, tokenizerOf, TOKENIZERS } from "../../src/text/tokenizer.ts";
import { testData } from "../support/test_data.ts";

Deno.test("tokenize() gives NLTK's tokens of sentences written for the purpose", () => {
  assert.ok(golden.captions.length >= 200);
  for (const { caption, tokens } of golden.captions) {
    assert.deepEqual(tokenize(caption), tokens, JSON.stringify(caption));
  }
});

Deno.test({
  name: "tokenize() gives NLTK's tokens of real captions, every one of them",
  ignore: testData === undefined,
  async fn() {
    const text = await Deno.readTextFile(join(testData ?? "", "tokens", "nltk_word_tokenize.json"));
    const captions: { caption: string; tokens: string[] }[] = JSON.parse(text);
    assert.ok(captions.length > 2000);
    for (const { caption, tokens } of captions) assert.deepEqual(tokenize(caption), tokens, caption);
  },
});

Deno.test("tokenizerOf() gives the tokenizer of each name", () => {
  assert.deepEqual(TOKENIZERS, ["nltk", "unicode"]);
  const caption = "The dog's ball isn't red.";
  assert.deepEqual(tokenizerOf("nltk")(caption), ["the", "dog", "'s", "ball", "is", "n't", "red", "."]);
  assert.deepEqual(tokenizerOf("nltk")(caption), tokenize(caption));
  assert.deepEqual(tokenizerOf("unicode")(caption), ["the", "dog's", "ball", "isn't", "red", "."]);
});

Deno.test("each tokenizer ends on a caption of 100,000 characters, whatever it repeats: quadratic time would be hours", () => {
  const units = [
    "a",
    " ",
    "\t",
    "'",
    '"',
    "-",
    ",",
    ".",
    ". ",
    "a. ",
    "! ",
    "? a",
    "5. a ",
    ".) ",
    "(",
    "cannot ",
    "犬",
  ];
  for (const name of TOKENIZERS) {
    for (const unit of [...units, "犬。", "กา", "\u0301", "👨\u200d", "\ud800", "\0", "Σ", "a'", "“"]) {
      for (const caption of [unit.repeat(1e5 / unit.length), `dr.${unit.repeat(1e5 / unit.length)}x`]) {
        tokenizerOf(name)(caption);
      }
    }
  }
});
