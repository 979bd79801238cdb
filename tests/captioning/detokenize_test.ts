import assert from "node:assert/strict";
import { detokenize } from "../../src/captioning/detokenize.ts";
import { tokenize } from "../../src/pipeline/tokenizer.ts";

Deno.test("detokenize() puts spaces where English has them", () => {
  const sentences: [string[], string][] = [
    [[], ""],
    [["kite"], "kite"],
    [["a", "kite", ",", "a", "boat", "and", "a", "fox", "."], "a kite, a boat and a fox."],
    [["the", "boy", "'s", "kite", "is", "n't", "red", "!"], "the boy's kite isn't red!"],
    [["the", "boys", "'", "kites"], "the boys' kites"],
    [["a", "kite", "(", "red", ")", "flies"], "a kite (red) flies"],
    [["#", "5", "costs", "$", "3"], "#5 costs $3"],
    [["half", "a", "%", "...", "or", "more", "?"], "half a%... or more?"],
  ];
  for (const [tokens, text] of sentences) assert.equal(detokenize(tokens), text);
});

Deno.test("detokenize() undoes tokenize() on lower-case captions", () => {
  const captions = ["a girl who can't swim watches her dog's ball, which floats.", "there's a fox; it sleeps"];
  for (const caption of captions) assert.equal(detokenize(tokenize(caption)), caption);
});
