import assert from "node:assert/strict";
import { ciderD, documentFrequencies } from "../../src/evaluation/cider.ts";
import golden from "../golden/scores.json" with { type: "json" };
import { assertScores, tokens } from "./scored_captions.ts";

for (
  const { candidates, references, cider: expected } of golden.corpora.filter(({ candidates }) => candidates.length > 1)
) {
  Deno.test(`ciderD() is pycocoevalcap's, each of ${candidates.length} captions`, () => {
    assert(expected.mean > 0.1);
    assertScores(ciderD(candidates.map(tokens), references.map((sentences) => sentences.map(tokens))), expected);
  });
}

Deno.test("ciderD() is 0 for a single image", () => {
  const words = tokens("a red kite over the sea");
  assert.deepEqual(ciderD([words], [[words]]), { mean: 0, captions: [0] });
});

Deno.test("ciderD() is 10 for a caption equal to its only reference", () => {
  const captions = ["a red kite over the sea", "two boats at anchor today"].map(tokens);
  assertScores(ciderD(captions, captions.map((words) => [words])), { mean: 10, captions: [10, 10] });
});

Deno.test("ciderD() uses given document frequencies", () => {
  const references = [["a kite flies", "a kite"], ["a boat sails"], ["the sea"]].map((list) => list.map(tokens));
  const candidates = ["a kite flies", "a boat", "sea"].map(tokens);
  const frequencies = documentFrequencies(references);
  assert.deepEqual([frequencies.images, frequencies.counts.get("a"), frequencies.counts.get("a kite")], [3, 2, 1]);
  const all = ciderD(candidates, references);
  const [first] = ciderD(candidates.slice(0, 1), references.slice(0, 1), { frequencies }).captions;
  assert.equal(first, all.captions[0]);
});

Deno.test("ciderD() refuses captions without references", () => {
  assert.throws(() => ciderD([["a"]], []), RangeError);
  assert.throws(() => ciderD([["a"], ["b"]], [[["a"]], []]), RangeError);
});
