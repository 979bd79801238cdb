import assert from "node:assert/strict";
import { oneAtATime, untilAborted } from "../../src/server/deadline.ts";

const NEVER = new AbortController().signal;

Deno.test("untilAborted() passes on a result or an error, or rejects with the reason as soon as the signal is aborted", async () => {
  assert.equal(await untilAborted(Promise.resolve(1), NEVER), 1);
  await assert.rejects(untilAborted(Promise.reject(new TypeError("no")), NEVER), TypeError);
  const client = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const waiting = untilAborted(promise, client.signal);
  client.abort(new RangeError("gone"));
  await assert.rejects(waiting, RangeError);
  await assert.rejects(untilAborted(promise, client.signal), RangeError);
  reject(new TypeError("late")); // is not an unhandled rejection
});

Deno.test("oneAtATime() runs work in turn, also after a failure, and drops work that waits when its signal is aborted", async () => {
  const queue = oneAtATime();
  const started: number[] = [];
  const first = Promise.withResolvers<never>();
  const run = (number: number, work: Promise<unknown>, signal = NEVER) =>
    queue(() => {
      started.push(number);
      return work;
    }, signal);
  const client = new AbortController();
  const failed = assert.rejects(run(1, first.promise), TypeError);
  const dropped = assert.rejects(run(2, Promise.resolve(), client.signal), RangeError);
  const last = run(3, Promise.resolve("done"));
  client.abort(new RangeError("gone"));
  await dropped; // while the first runs
  assert.deepEqual(started, [1]);
  first.reject(new TypeError("no"));
  await failed;
  assert.equal(await last, "done");
  assert.deepEqual(started, [1, 3]);
});
