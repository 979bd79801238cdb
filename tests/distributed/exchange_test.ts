import assert from "node:assert/strict";
import { anywhere, fromFirst, gather, onFirst, sums } from "../../src/distributed/exchange.ts";
import { ALONE } from "../../src/distributed/ranks.ts";
import { InputError } from "../../src/input_error.ts";
import { localRanks, together } from "./local_ranks.ts";

Deno.test("sums() and gather() give every rank what all have", async () => {
  assert.deepEqual(await together(3, (ranks) => sums(ranks, [ranks.rank, 1])), Array(3).fill([3, 3]));
  const names = await together(3, (ranks) => gather(ranks, { name: `rank ${ranks.rank}` }));
  assert.deepEqual(names[2], [{ name: "rank 0" }, { name: "rank 1" }, { name: "rank 2" }]);
  assert.deepEqual([await sums(ALONE, [5]), await gather(ALONE, "here")], [[5], ["here"]]);
});

Deno.test("anywhere() is true on all ranks where it is on one", async () => {
  assert.deepEqual(await together(3, (ranks) => anywhere(ranks, ranks.rank === 2)), [true, true, true]);
  assert.deepEqual(await together(2, (ranks) => anywhere(ranks, false)), [false, false]);
  assert.equal(await anywhere(ALONE, true), true);
});

Deno.test("onFirst() works on rank 0 alone, fromFirst() gives its result to all", async () => {
  const worked: number[] = [];
  const work = (rank: number) => Promise.resolve(worked.push(rank));
  assert.deepEqual(await together(3, (ranks) => onFirst(ranks, () => work(ranks.rank))), [1, undefined, undefined]);
  assert.deepEqual(worked, [0]);
  assert.deepEqual(await together(2, (ranks) => fromFirst(ranks, () => Promise.resolve([ranks.rank]))), [[0], [0]]);
  assert.deepEqual(await together(2, (ranks) => fromFirst(ranks, () => Promise.resolve(undefined))), [
    undefined,
    undefined,
  ]);
  assert.equal(await fromFirst(ALONE, () => Promise.resolve("alone")), "alone");
});

Deno.test("wrong input of rank 0 is told on all ranks in the same words", async () => {
  for (const ask of [onFirst, fromFirst]) {
    const asked = localRanks(3).map((ranks) => ask(ranks, () => Promise.reject(new InputError("Cannot read 'x'"))));
    for (const end of await Promise.allSettled(asked)) {
      assert(end.status === "rejected" && end.reason instanceof InputError);
      assert.equal(end.reason.message, "Cannot read 'x'");
    }
  }
});
