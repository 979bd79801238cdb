import assert from "node:assert/strict";
import { lrcnCaption, notebookCaption } from "../../src/text/encode_captions.ts";
import { Vocabulary } from "../../src/text/vocabulary.ts";

const tokens = ["a", "red", "kite"];

Deno.test("notebookCaption() pads short captions, cuts long ones and writes 1 for unknown words", () => {
  const vocabulary = Vocabulary.notebook([tokens]);
  assert.deepEqual([...notebookCaption(["red", "fox"], vocabulary, 4)], [3, 1, 0, 0]);
  assert.deepEqual([...notebookCaption([...tokens, "a", "red"], vocabulary, 4)], [2, 3, 4, 2]);
  assert.equal(notebookCaption([], vocabulary).length, 30);
});

Deno.test("lrcnCaption() adds <start> and <end>, and keeps at most maxLength words", () => {
  const vocabulary = Vocabulary.fromTokens([tokens], { minCount: 1 });
  assert.deepEqual([...lrcnCaption(tokens, vocabulary)], [2, 4, 5, 6, 3]);
  assert.deepEqual([...lrcnCaption(["fox", "red", "kite"], vocabulary, 2)], [2, 1, 5, 3]);
  assert.equal(lrcnCaption(new Array(50).fill("red"), vocabulary).length, 22);
  assert.throws(() => lrcnCaption(tokens, Vocabulary.notebook([tokens])), TypeError);
});
