import assert from "node:assert/strict";
import { shareOfBatches } from "../../src/distributed/share.ts";
import { batchOfRank, sharedExamples, shareOfPlan } from "../../src/pipeline/epoch_plan.ts";
import { InputError } from "../../src/input_error.ts";

const order = (count: number) => Array.from({ length: count }, (_, index) => 100 + index);
const plan = (count: number) => ({
  order: order(count),
  crops: order(count).map((top) => ({ top, left: 0, flip: false })),
});

Deno.test("shareOfPlan() divides each batch, so that all ranks together go through the epoch as one would", () => {
  for (const [count, batchSize, size] of [[24, 8, 2], [22, 8, 2], [23, 8, 4], [9, 6, 3], [7, 8, 2]] as const) {
    const shares = Array.from({ length: size }, (_, rank) => shareOfPlan(plan(count), { rank, size, batchSize }));
    const total = sharedExamples(count, { batchSize, size });
    for (let start = 0, step = 0; start < total; start += batchSize, step++) {
      const part = batchSize / size;
      const batches = shares.map(({ order }) => order.slice(step * part, (step + 1) * part));
      assert(batches.every(({ length }) => length > 0), `${count}, ${batchSize}, ${size}: step ${step}`);
      assert.deepEqual(batches.flat(), order(count).slice(start, Math.min(total, start + batchSize)));
    }
    for (const { order, crops } of shares) assert.deepEqual(crops.map(({ top }) => top), order);
    assert.equal(shares.reduce((sum, { order }) => sum + order.length, 0), total);
  }
});

Deno.test("sharedExamples() leaves out a last batch that has not one example for each rank", () => {
  assert.equal(sharedExamples(17, { batchSize: 8, size: 2 }), 16);
  assert.equal(sharedExamples(18, { batchSize: 8, size: 2 }), 18);
  assert.equal(sharedExamples(16, { batchSize: 8, size: 2 }), 16);
  assert.equal(sharedExamples(17, { batchSize: 8, size: 1 }), 17);
});

Deno.test("shareOfPlan() of one rank is the whole plan, without crops where there are none", () => {
  assert.deepEqual(shareOfPlan(plan(17), { rank: 0, size: 1, batchSize: 8 }), plan(17));
  assert.deepEqual(shareOfPlan({ order: order(4), crops: [] }, { rank: 1, size: 2, batchSize: 4 }), {
    ...{ order: [102, 103], crops: [] },
  });
});

Deno.test("shareOfBatches() gives each batch to one rank, in turn", () => {
  const shares = [0, 1, 2].map((rank) => shareOfBatches(order(11), { rank, size: 3, batchSize: 2 }));
  assert.deepEqual(shares, [[100, 101, 106, 107], [102, 103, 108, 109], [104, 105, 110]]);
  assert.deepEqual(shareOfBatches(order(3), { rank: 0, size: 1, batchSize: 2 }), order(3));
});

Deno.test("batchOfRank() refuses a batch that cannot be shared evenly, and names one that can", () => {
  assert.equal(batchOfRank(16, { size: 4 }), 4);
  const refused = (pattern: RegExp) => (error: unknown) => error instanceof InputError && pattern.test(error.message);
  assert.throws(() => batchOfRank(16, { size: 3 }), refused(/batch of 16 .* 3 processes; give --batch-size 15$/));
  assert.throws(() => batchOfRank(1, { size: 4 }), refused(/--batch-size 4$/));
});
