import assert from "node:assert/strict";
import { matchSplits } from "../../src/data/match_splits.ts";

function match(names: readonly string[], train: readonly string[]) {
  const examples = new Map(names.map((name) => [name, { name }]));
  return matchSplits({ train, validation: [], test: [] }, examples).lists.train;
}

Deno.test("matchSplits() finds names without ending or folders", () => {
  assert.deepEqual(match(["Images/a.jpg", "b.PNG"], ["a", "b.jpg"]), ["Images/a.jpg", "b.PNG"]);
  assert.deepEqual(match(["a.jpg"], ["photos/a.jpg"]), ["a.jpg"]);
});

Deno.test("matchSplits() leaves a name that may mean two images, or shares its image with another, or has other folders", () => {
  assert.deepEqual(match(["one/a.jpg", "two/a.jpg"], ["a"]), ["a"]);
  assert.deepEqual(match(["b.jpg"], ["b", "in/b.png"]), ["b", "in/b.png"]);
  assert.deepEqual(match(["train/c.jpg"], ["val/c.jpg"]), ["val/c.jpg"]);
});
