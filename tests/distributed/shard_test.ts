import assert from "node:assert/strict";
import { shardBatches } from "../../src/distributed/shard.ts";
import { batchSizeOfRank, shardedExamples, shardPlan } from "../../src/pipeline/epoch_loader.ts";
import { InputError } from "../../src/input_error.ts";

const order = (count: number) => Array.from({ length: count }, (_, index) => 100 + index);
const plan = (count: number) => ({
  order: order(count),
  crops: order(count).map((top) => ({ top, left: 0, flip: false })),
});

Deno.test("shardPlan() divides each batch, so that all ranks together process the same epoch as one process", () => {
  for (const [count, batchSize, size] of [[24, 8, 2], [22, 8, 2], [23, 8, 4], [9, 6, 3], [7, 8, 2]] as const) {
    const shards = Array.from(
      { length: size },
      (_, rank) => shardPlan(plan(count), { rank, worldSize: size, batchSize }),
    );
    const total = shardedExamples(count, { batchSize, worldSize: size });
    for (let start = 0, step = 0; start < total; start += batchSize, step++) {
      const part = batchSize / size;
      const batches = shards.map(({ order }) => order.slice(step * part, (step + 1) * part));
      assert(batches.every(({ length }) => length > 0), `${count}, ${batchSize}, ${size}: step ${step}`);
      assert.deepEqual(batches.flat(), order(count).slice(start, Math.min(total, start + batchSize)));
    }
    for (const { order, crops } of shards) assert.deepEqual(crops.map(({ top }) => top), order);
    assert.equal(shards.reduce((sum, { order }) => sum + order.length, 0), total);
  }
});

Deno.test("shardedExamples() drops a last batch with less than one example for each rank", () => {
  assert.equal(shardedExamples(17, { batchSize: 8, worldSize: 2 }), 16);
  assert.equal(shardedExamples(18, { batchSize: 8, worldSize: 2 }), 18);
  assert.equal(shardedExamples(16, { batchSize: 8, worldSize: 2 }), 16);
  assert.equal(shardedExamples(17, { batchSize: 8, worldSize: 1 }), 17);
});

Deno.test("shardPlan() of one rank is the whole plan, without crops if there are none", () => {
  assert.deepEqual(shardPlan(plan(17), { rank: 0, worldSize: 1, batchSize: 8 }), plan(17));
  assert.deepEqual(shardPlan({ order: order(4), crops: [] }, { rank: 1, worldSize: 2, batchSize: 4 }), {
    order: [102, 103],
    crops: [],
  });
});

Deno.test("shardBatches() gives each batch to one rank, in turn", () => {
  const shards = [0, 1, 2].map((rank) => shardBatches(order(11), { rank, worldSize: 3, batchSize: 2 }));
  assert.deepEqual(shards, [[100, 101, 106, 107], [102, 103, 108, 109], [104, 105, 110]]);
  assert.deepEqual(shardBatches(order(3), { rank: 0, worldSize: 1, batchSize: 2 }), order(3));
});

Deno.test("batchSizeOfRank() refuses a batch size that is not divisible by the ranks, and names one that is", () => {
  assert.equal(batchSizeOfRank(16, { worldSize: 4 }), 4);
  const refused = (pattern: RegExp) => (error: unknown) => error instanceof InputError && pattern.test(error.message);
  assert.throws(
    () => batchSizeOfRank(16, { worldSize: 3 }),
    refused(/batch of 16 .* 3 processes; give --batch-size 15$/),
  );
  assert.throws(() => batchSizeOfRank(1, { worldSize: 4 }), refused(/--batch-size 4$/));
});
