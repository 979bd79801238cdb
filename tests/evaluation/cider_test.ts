import assert from "node:assert/strict";
import { ciderD, documentFrequencies } from "../../src/evaluation/cider.ts";
import golden from "../golden/scores.json" with { type: "json" };
import { assertScores, captionsOf } from "./scored_captions.ts";

for (
  const { candidates, references, cider: expected } of golden.corpora.filter(({ candidates }) => candidates.length > 1)
) {
  Deno.test(`ciderD() is pycocoevalcap's, each of ${candidates.length} captions`, () => {
    assert(expected.mean > 0.1);
    assertScores(ciderD(captionsOf(candidates, references)), expected);
  });
}

Deno.test("ciderD() is 0 for a single image", () => {
  const words = "a red kite over the sea";
  assert.deepEqual(ciderD(captionsOf([words], [[words]])), { mean: 0, captions: [0] });
});

Deno.test("ciderD() is 10 for a caption equal to its only reference", () => {
  const captions = ["a red kite over the sea", "two boats at anchor today"];
  assertScores(ciderD(captionsOf(captions, captions.map((words) => [words]))), { mean: 10, captions: [10, 10] });
});

Deno.test("ciderD() uses given document frequencies", () => {
  const references = [["a kite flies", "a kite"], ["a boat sails"], ["the sea"]];
  const captions = captionsOf(["a kite flies", "a boat", "sea"], references);
  const frequencies = documentFrequencies(captions.map(({ references }) => references));
  assert.deepEqual([frequencies.images, frequencies.counts.get("a"), frequencies.counts.get("a kite")], [3, 2, 1]);
  const all = ciderD(captions);
  const [first] = ciderD(captions.slice(0, 1), { frequencies }).captions;
  assert.equal(first, all.captions[0]);
});

Deno.test("ciderD() refuses captions without references", () => {
  assert.throws(() => ciderD(captionsOf(["a", "b"], [["a"], []])), RangeError);
});
