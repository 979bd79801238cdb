import assert from "node:assert/strict";
import { findDuplicates, photographsInTwoSplits } from "../../src/doctor/examine_splits.ts";

const photographs = ["a", "b", "c", "d", "e"].map((name) => ({ name, path: `/${name}`, captions: ["x"] }));

function splitsOf(train: string, validation: string, test: string) {
  const select = (names: string) =>
    photographs.filter(({ name }) => names.includes(name)).map((photograph) => ({ photograph, captions: [] }));
  return { train: select(train), validation: select(validation), test: select(test), leftOut: 0 };
}

Deno.test("photographsInTwoSplits() names those that are in more than one", () => {
  assert.deepEqual(photographsInTwoSplits(splitsOf("ab", "c", "de")), []);
  assert.deepEqual(photographsInTwoSplits(splitsOf("abc", "cd", "dea")), ["a", "c", "d"]);
});

Deno.test("findDuplicates() groups photographs with the same bytes, and counts groups that splits part", () => {
  const splits = splitsOf("ab", "cd", "e");
  assert.deepEqual(findDuplicates(photographs, ["1", "2", "3", "4", "5"], splits), { groups: [], acrossSplits: 0 });
  assert.deepEqual(findDuplicates(photographs, ["1", "1", "2", "2", "2"], splits), {
    groups: [["a", "b"], ["c", "d", "e"]],
    acrossSplits: 1,
  });
});
