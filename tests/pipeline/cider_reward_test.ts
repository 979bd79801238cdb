import assert from "node:assert/strict";
import { ciderReward } from "../../src/pipeline/cider_reward.ts";

const [START, END] = [2, 3];

function exampleOf(...captions: readonly (readonly number[])[]) {
  const example = { name: "", path: "", captions: [] };
  return { example, captions: captions.map((words) => Int32Array.of(START, ...words, END)) };
}

Deno.test("ciderReward() pays most for the references themselves, and less for a caption that breaks off", () => {
  const reward = ciderReward([exampleOf([4, 5, 6, 7]), exampleOf([4, 8, 9, 10]), exampleOf([11, 12, 13])]);
  const references = [[4, 5, 6, 7, END]];
  const [same = NaN, broken = NaN, other = NaN] = reward(
    [[4, 5, 6, 7, END], [4, 5, 6, 7], [4, 8, 9, 10, END]],
    references,
  );
  assert(Math.abs(same - 10) < 1e-9);
  assert(broken < same && other < broken && other > 0, `${same} ${broken} ${other}`);
});

Deno.test("ciderReward() pays more for a word that few images have", () => {
  const reward = ciderReward([exampleOf([4, 5]), exampleOf([4, 6]), exampleOf([4, 7]), exampleOf([8, 9])]);
  const [common = NaN, rare = NaN] = reward([[4, 20, END], [20, 5, END]], [[4, 5, END]]);
  assert(rare > common && common > 0, `${common} ${rare}`);
});
