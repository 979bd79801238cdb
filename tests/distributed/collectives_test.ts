import assert from "node:assert/strict";
import {
  allGatherObject,
  allReduceSum,
  anyRank,
  broadcastObject,
  onRankZero,
} from "../../src/distributed/collectives.ts";
import { SINGLE_PROCESS } from "../../src/distributed/process_group.ts";
import { InputError } from "../../src/input_error.ts";
import { localRanks, together } from "./local_group.ts";

Deno.test("allReduceSum() and allGatherObject() return the same on all ranks", async () => {
  assert.deepEqual(await together(3, (group) => allReduceSum(group, [group.rank, 1])), Array(3).fill([3, 3]));
  const names = await together(3, (group) => allGatherObject(group, { name: `rank ${group.rank}` }));
  assert.deepEqual(names[2], [{ name: "rank 0" }, { name: "rank 1" }, { name: "rank 2" }]);
  assert.deepEqual([await allReduceSum(SINGLE_PROCESS, [5]), await allGatherObject(SINGLE_PROCESS, "here")], [[5], [
    "here",
  ]]);
});

Deno.test("anyRank() is true on all ranks if it is on one", async () => {
  assert.deepEqual(await together(3, (group) => anyRank(group, group.rank === 2)), [true, true, true]);
  assert.deepEqual(await together(2, (group) => anyRank(group, false)), [false, false]);
  assert.equal(await anyRank(SINGLE_PROCESS, true), true);
});

Deno.test("onRankZero() runs on rank 0 only, broadcastObject() returns its result on all ranks", async () => {
  const worked: number[] = [];
  const work = (rank: number) => Promise.resolve(worked.push(rank));
  assert.deepEqual(await together(3, (group) => onRankZero(group, () => work(group.rank))), [1, undefined, undefined]);
  assert.deepEqual(worked, [0]);
  assert.deepEqual(await together(2, (group) => broadcastObject(group, () => Promise.resolve([group.rank]))), [[0], [
    0,
  ]]);
  assert.deepEqual(await together(2, (group) => broadcastObject(group, () => Promise.resolve(undefined))), [
    undefined,
    undefined,
  ]);
  assert.equal(await broadcastObject(SINGLE_PROCESS, () => Promise.resolve("alone")), "alone");
});

Deno.test("an InputError of rank 0 is thrown on all ranks with the same message", async () => {
  for (const ask of [onRankZero, broadcastObject]) {
    const asked = localRanks(3).map((group) => ask(group, () => Promise.reject(new InputError("Cannot read 'x'"))));
    for (const end of await Promise.allSettled(asked)) {
      assert(end.status === "rejected" && end.reason instanceof InputError);
      assert.equal(end.reason.message, "Cannot read 'x'");
    }
  }
});
