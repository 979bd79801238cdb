import assert from "node:assert/strict";
import { readAhead } from "../src/read_ahead.ts";

/** Lets everything that is ready run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

Deno.test("readAhead() gives results in the order of the keys, whichever load ends first", async () => {
  const load = (delay: number) => new Promise<number>((resolve) => setTimeout(() => resolve(delay), delay));
  assert.deepEqual(await Array.fromAsync(readAhead(load, [8, 1, 4, 0], 3)), [8, 1, 4, 0]);
  assert.deepEqual(await Array.fromAsync(readAhead(load, [], 3)), []);
});

Deno.test("readAhead() begins as many loads ahead as its depth, and no more", async () => {
  for (const depth of [0, 1, 3]) {
    const begun: number[] = [];
    const results = readAhead((key: number) => Promise.resolve(begun.push(key)), [0, 1, 2, 3, 4, 5], depth);
    await results.next();
    await settle();
    assert.equal(begun.length, 1 + depth);
    await results.next();
    await settle();
    assert.equal(begun.length, 2 + depth);
    await results.return();
  }
});

Deno.test("readAhead() waits for what it began when the consumer stops early", async () => {
  let underWay = 0;
  const load = async (key: number) => {
    underWay++;
    await settle();
    underWay--;
    if (key > 0) throw new Error("must not count as unhandled");
    return key;
  };
  for await (const key of readAhead(load, [0, 1, 2, 3], 2)) {
    assert.equal(key, 0);
    break;
  }
  assert.equal(underWay, 0);
});

Deno.test("readAhead() throws a load's error in its turn, also one that is thrown at once", async () => {
  const given: number[] = [];
  const load = (key: number) => {
    if (key === 2) throw new Error("no such batch");
    return Promise.resolve(key);
  };
  await assert.rejects(async () => {
    for await (const key of readAhead(load, [0, 1, 2, 3], 2)) {
      given.push(key);
      await settle();
    }
  }, /no such batch/);
  assert.deepEqual(given, [0, 1]);
});

Deno.test("readAhead() refuses a depth that is no count", async () => {
  await assert.rejects(readAhead(() => Promise.resolve(1), [1], -1).next(), RangeError);
});
