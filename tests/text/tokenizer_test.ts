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

Deno.test("each tokenizer reads 10,000 captions in under 2 seconds", () => {
  for (const name of TOKENIZERS) {
    const started = performance.now();
    for (let index = 0; index < 10_000; index++) {
      tokenizerOf(name)(`Two men carry kite no. ${index} , and a boy's dog can't follow .`);
    }
    assert.ok(performance.now() - started < 2000, name);
  }
});

Deno.test("each tokenizer takes linear time on a caption of 50,000 characters, whatever it repeats", () => {
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
      for (const caption of [unit.repeat(5e4 / unit.length), `dr.${unit.repeat(5e4 / unit.length)}x`]) {
        const started = performance.now();
        tokenizerOf(name)(caption);
        // Quadratic time would be minutes.
        assert.ok(performance.now() - started < 5000, `${name} ${JSON.stringify(unit)}`);
      }
    }
  }
});
