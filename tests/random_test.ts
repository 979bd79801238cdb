import assert from "node:assert/strict";
import golden from "./golden/random_numbers.json" with { type: "json" };
import { Random } from "../src/random.ts";

Deno.test("Random gives xoshiro128**'s numbers for each seed", () => {
  for (const { seed, words } of golden.words) {
    const random = new Random(seed);
    assert.deepEqual(words.map(() => random.next() * 2 ** 32), words);
  }
});

Deno.test("Random.shuffle() gives the same order for the same seed and keeps its argument", () => {
  for (const { seed, values } of golden.shuffles) {
    const ordered = values.map((_, index) => index);
    assert.deepEqual(new Random(seed).shuffle(ordered), values);
    assert.deepEqual(ordered, values.map((_, index) => index));
  }
  assert.deepEqual(new Random(1).shuffle([]), []);
});

Deno.test("Random.below() reaches each integer about equally often", () => {
  const random = new Random(5);
  const drawn = new Array<number>(6).fill(0);
  for (let draw = 0; draw < 6000; draw++) {
    const value = random.below(6);
    drawn[value] = (drawn[value] ?? 0) + 1;
  }
  // Five standard deviations of a binomial count with n = 6000 and p = 1/6.
  for (const count of drawn) assert.ok(Math.abs(count - 1000) < 145, `${drawn}`);
});

Deno.test("Random.below() favors no remainder", () => {
  // Of 2^32 values a fourth must be sampled again; a plain remainder would put half of the values below 2^30, not a third.
  const random = new Random(6);
  let low = 0;
  for (let draw = 0; draw < 6000; draw++) if (random.below(3 * 2 ** 30) < 2 ** 30) low++;
  assert.ok(Math.abs(low - 2000) < 200, `${low}`);
});

Deno.test("Random rejects seeds and ranges that are not integers in their range", () => {
  for (const seed of [-1, 0.5, NaN, 2 ** 53]) assert.throws(() => new Random(seed), RangeError);
  for (const n of [0, -1, 1.5, NaN, 2 ** 32 + 1]) assert.throws(() => new Random(0).below(n), RangeError);
  assert.equal(new Random(0).below(1), 0);
});
