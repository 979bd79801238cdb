import assert from "node:assert/strict";
import { readAhead } from "../src/read_ahead.ts";

/** Runs everything that is ready. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

async function* asynchronous<T>(items: Iterable<T>): AsyncGenerator<T, void, undefined> {
  yield* items;
}

const SOURCES = { "a sync": <T>(items: T[]) => items, "an async": asynchronous };

for (const [kind, sourceOf] of Object.entries(SOURCES)) {
  Deno.test(`readAhead() yields results in the order of ${kind} source, whichever load ends first`, async () => {
    const load = (delay: number) => new Promise<number>((resolve) => setTimeout(() => resolve(delay), delay));
    assert.deepEqual(await Array.fromAsync(readAhead(load, sourceOf([9, 1, 5, 0]), 2)), [9, 1, 5, 0]);
    assert.deepEqual(await Array.fromAsync(readAhead(load, sourceOf<number>([]), 2)), []);
  });

  Deno.test(`readAhead() begins as many loads ahead as its depth from ${kind} source, and no more`, async () => {
    for (const depth of [0, 1, 3]) {
      let begun = 0;
      const gates = Array.from({ length: 6 }, () => Promise.withResolvers<void>());
      const load = (item: number) => (begun++, gates[item]?.promise);
      const results = readAhead(async (item) => await load(item), sourceOf([0, 1, 2, 3, 4, 5]), depth);
      for (const wanted of [1 + depth, 2 + depth]) {
        const result = results.next();
        await settle();
        assert.equal(begun, wanted);
        gates[wanted - 1 - depth]?.resolve();
        await result;
        await settle();
        assert.equal(begun, wanted);
      }
      for (const gate of gates) gate.resolve();
      await results.return();
      assert.equal(begun, 2 + depth);
    }
  });

  Deno.test(`readAhead() awaits the loads in progress from ${kind} source when the consumer stops early`, async () => {
    let inProgress = 0;
    const load = async (item: number) => {
      inProgress++;
      await settle();
      inProgress--;
      if (item > 0) throw new Error("must not count as unhandled");
      return item;
    };
    for await (const item of readAhead(load, sourceOf([0, 1, 2, 3]), 2)) {
      assert.equal(item, 0);
      break;
    }
    assert.equal(inProgress, 0);
  });

  Deno.test(`readAhead() throws a load's error in its turn from ${kind} source, also one thrown at once`, async () => {
    const given: number[] = [];
    const load = (item: number) => {
      if (item === 2) throw new Error("no such batch");
      return Promise.resolve(item);
    };
    await assert.rejects(async () => {
      for await (const item of readAhead(load, sourceOf([0, 1, 2, 3]), 2)) {
        given.push(item);
        await settle();
      }
    }, /no such batch/);
    assert.deepEqual(given, [0, 1]);
  });
}

Deno.test("readAhead() never has more loads in progress than one and its depth", async () => {
  for (const depth of [0, 1, 3]) {
    let [now, most] = [0, 0];
    const load = async () => {
      most = Math.max(most, ++now);
      await settle();
      now--;
    };
    await Array.fromAsync(readAhead(load, asynchronous([1, 2, 3, 4, 5, 6, 7]), depth));
    assert.equal(most, 1 + depth);
  }
});

Deno.test("readAhead() yields a result although the next item has not arrived", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  async function* slow() {
    yield 1;
    await promise;
    yield 2;
  }
  const results = readAhead((item) => Promise.resolve(item), slow(), 2);
  assert.equal((await results.next()).value, 1);
  resolve();
  assert.deepEqual(await Array.fromAsync(results), [2]);
});

Deno.test("readAhead() begins no load for an item that arrives after the consumer stopped", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  async function* slow() {
    yield 1;
    await promise;
    yield 2;
  }
  const begun: number[] = [];
  const results = readAhead((item) => Promise.resolve(begun.push(item)), slow(), 2);
  await results.next();
  const returned = results.return();
  resolve();
  await returned;
  assert.deepEqual(begun, [1]);
});

Deno.test("readAhead() after an error ends its source and awaits the loads in progress", async () => {
  const log: string[] = [];
  async function* source() {
    try {
      yield* [1, 2, 3, 4];
    } finally {
      log.push("ended");
    }
  }
  const load = async (item: number) => {
    if (item === 2) throw new Error("second");
    await new Promise((resolve) => setTimeout(resolve, 3));
    log.push(`done ${item}`);
    return item;
  };
  const results = readAhead(load, source(), 2);
  assert.equal((await results.next()).value, 1);
  await assert.rejects(results.next(), /second/);
  assert.deepEqual(log, ["done 1", "ended", "done 3"]);
});

Deno.test("readAhead() passes on its source's error", async () => {
  async function* failing() {
    yield 1;
    await Promise.reject(new Error("no more images"));
  }
  const given: number[] = [];
  await assert.rejects(async () => {
    for await (const item of readAhead((item) => Promise.resolve(item), failing())) given.push(item);
  }, /no more images/);
});

Deno.test("readAhead() rejects a depth that is not a non-negative integer", async () => {
  for (const depth of [-1, 0.5, NaN]) {
    await assert.rejects(readAhead(() => Promise.resolve(1), [1], depth).next(), RangeError);
  }
});
