import assert from "node:assert/strict";
import { overlap } from "../src/overlap.ts";

async function* each<T>(things: Iterable<T>): AsyncGenerator<T, void, undefined> {
  yield* things;
}

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

Deno.test("overlap() gives results in the things' order, whichever is done first", async () => {
  const work = async (thing: number) => {
    await wait(thing);
    return thing * 2;
  };
  assert.deepEqual(await collect(overlap(each([9, 1, 5, 0]), work, 3)), [18, 2, 10, 0]);
  assert.deepEqual(await collect(overlap(each<number>([]), work, 2)), []);
});

Deno.test("overlap() works on as many at once as it is told, and no more", async () => {
  for (const depth of [1, 2, 4]) {
    let [now, most] = [0, 0];
    const work = async () => {
      most = Math.max(most, ++now);
      await wait(1);
      now--;
    };
    await collect(overlap(each([1, 2, 3, 4, 5, 6, 7]), work, depth));
    assert.equal(most, depth);
  }
});

Deno.test("overlap() gives a result although the next thing has not come", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  async function* slow() {
    yield 1;
    await promise;
    yield 2;
  }
  const results = overlap(slow(), (thing) => Promise.resolve(thing), 3);
  assert.equal((await results.next()).value, 1);
  resolve();
  assert.deepEqual(await collect(results), [2]);
});

Deno.test("overlap() throws a failure in its turn, ends the source, and waits for what has begun", async () => {
  const log: string[] = [];
  async function* source() {
    try {
      yield* each([1, 2, 3, 4]);
    } finally {
      log.push("ended");
    }
  }
  const work = async (thing: number) => {
    if (thing === 2) throw new Error("second");
    await wait(3);
    log.push(`done ${thing}`);
    return thing;
  };
  const results = overlap(source(), work, 3);
  assert.equal((await results.next()).value, 1);
  await assert.rejects(results.next(), /second/);
  assert.deepEqual(log, ["done 1", "ended", "done 3"]);
});

Deno.test("overlap() ends the source and waits for what has begun where the consumer stops", async () => {
  let done = 0;
  for await (
    const _ of overlap(each([1, 2, 3, 4, 5]), async () => {
      await wait(2);
      done++;
    }, 2)
  ) break;
  assert.equal(done, 2);
});
