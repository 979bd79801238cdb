import assert from "node:assert/strict";
import { Admission } from "../../src/server/admission.ts";
import { Problem } from "../../src/server/problem.ts";

const full = (error: unknown) => error instanceof Problem && error.status === 429;

Deno.test("Admission refuses bytes over the limit as they arrive, and gives room back", async () => {
  const admission = new Admission({ requests: 10, bytes: 100 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const take = (...pieces: number[]) =>
    admission.admit((take) => {
      for (const bytes of pieces) take(bytes);
      return promise;
    });
  const first = take(30, 30);
  for (let turn = 0; turn < 3; turn++) await assert.rejects(async () => await take(20, 21), full);
  const second = take(40);
  await assert.rejects(async () => await take(1), full);
  assert.equal(admission.requests, 2);
  resolve();
  await Promise.all([first, second]);
  await take(100);
});

Deno.test("Admission refuses requests over the limit, and says when to retry", async () => {
  const admission = new Admission({ requests: 2, bytes: 1 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const work = [admission.admit(() => promise), admission.admit(() => promise)];
  await assert.rejects(
    admission.admit(() => promise),
    (error) => full(error) && error instanceof Problem && error.retryAfter === 1,
  );
  resolve();
  await Promise.all(work);
  assert.equal(await admission.admit(() => Promise.resolve("done")), "done");
});

Deno.test("Admission gives room back after failed work, and is idle when none is left", async () => {
  const admission = new Admission({ requests: 1, bytes: 1 });
  await admission.idle();
  for (let turn = 0; turn < 3; turn++) {
    await assert.rejects(admission.admit(() => Promise.reject(new RangeError("no"))), RangeError);
  }
  const { promise, resolve } = Promise.withResolvers<void>();
  const work = admission.admit(() => promise);
  let idle = false;
  const waiting = admission.idle().then(() => idle = true);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(idle, false);
  resolve();
  await Promise.all([work, waiting]);
  assert.equal(admission.requests, 0);
});
