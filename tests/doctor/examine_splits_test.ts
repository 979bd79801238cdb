import assert from "node:assert/strict";
import { findDuplicates, imagesInTwoSplits } from "../../src/doctor/examine_splits.ts";

const examples = ["a", "b", "c", "d", "e"].map((name) => ({ name, path: `/${name}`, captions: ["x"] }));

function splitsOf(train: string, validation: string, test: string) {
  const select = (names: string) =>
    examples.filter(({ name }) => names.includes(name)).map((example) => ({ example, captions: [] }));
  return { train: select(train), validation: select(validation), test: select(test), skipped: 0 };
}

Deno.test("imagesInTwoSplits() names the images in more than one split", () => {
  assert.deepEqual(imagesInTwoSplits(splitsOf("ab", "c", "de")), []);
  assert.deepEqual(imagesInTwoSplits(splitsOf("abc", "cd", "dea")), ["a", "c", "d"]);
});

Deno.test("findDuplicates() groups identical images, and counts groups in more than one split", () => {
  const splits = splitsOf("ab", "cd", "e");
  assert.deepEqual(findDuplicates(examples, ["1", "2", "3", "4", "5"], splits), { groups: [], acrossSplits: 0 });
  assert.deepEqual(findDuplicates(examples, ["1", "1", "2", "2", "2"], splits), {
    groups: [["a", "b"], ["c", "d", "e"]],
    acrossSplits: 1,
  });
});
