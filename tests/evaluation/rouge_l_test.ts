import assert from "node:assert/strict";
import { rougeL } from "../../src/evaluation/rouge_l.ts";
import golden from "../golden/scores.json" with { type: "json" };
import { assertScores, captionsOf } from "./scored_captions.ts";

for (const { candidates, references, rougeL: expected } of golden.corpora) {
  const about = candidates.length === 1 ? `'${candidates[0]}'` : `${candidates.length} captions`;
  Deno.test(`rougeL() is pycocoevalcap's: ${about}, references '${references[0]?.join("', '")}'`, () => {
    assertScores(rougeL(captionsOf(candidates, references)), expected);
  });
}

Deno.test("rougeL() takes precision and recall from different references", () => {
  const [candidate, short, long] = ["a dog runs", "a dog", "a dog runs home now"] as const;
  assert.equal(rougeL(captionsOf([candidate], [[short, long]])).mean, 1);
  assert(rougeL(captionsOf([candidate], [[short]])).mean < 1);
  assert(rougeL(captionsOf([candidate], [[long]])).mean < 1);
});

Deno.test("rougeL() refuses captions without references", () => {
  assert.throws(() => rougeL(captionsOf(["a"], [[]])), RangeError);
});
