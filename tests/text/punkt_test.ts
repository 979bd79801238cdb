import assert from "node:assert/strict";
import golden from "../golden/tokenizer.json" with { type: "json" };
import { splitSentences } from "../../src/text/punkt.ts";

Deno.test("splitSentences() splits lower-cased captions where NLTK does", () => {
  for (const { caption, sentences } of golden.captions) {
    assert.deepEqual(splitSentences(caption.toLowerCase()), sentences, JSON.stringify(caption));
  }
});

Deno.test("splitSentences() keeps initials, ordinal numbers and abbreviations inside a sentence", () => {
  assert.deepEqual(splitSentences("j. finch has room 5. and rests by st. anne. he sings."), [
    "j. finch has room 5. and rests by st. anne.",
    "he sings.",
  ]);
});

Deno.test("splitSentences() ends on long runs: quadratic time would be hours", () => {
  for (const run of ["a. ".repeat(3e5), "!".repeat(1e6), `dr.${" ".repeat(1e6)}x`, "a.) ".repeat(3e5)]) {
    splitSentences(run);
  }
});
