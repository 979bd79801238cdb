import assert from "node:assert/strict";
import { captionStatistics } from "../../src/evaluation/caption_statistics.ts";

const CAPTIONS = [["a", "kite"], ["a", "red", "kite"], ["a", "kite"], []];

Deno.test("captionStatistics() counts distinct captions and words, and lengths", () => {
  assert.deepEqual(captionStatistics(CAPTIONS), { distinctFraction: 0.75, vocabularyUsed: 3, meanLength: 7 / 4 });
});

Deno.test("captionStatistics() counts captions that are not in the training set, if it is known", () => {
  assert.equal(captionStatistics(CAPTIONS, [["a", "kite"], ["kite"]]).novelFraction, 0.5);
  assert.equal(captionStatistics(CAPTIONS, []).novelFraction, 1);
});
