import assert from "node:assert/strict";
import { Admission } from "../../src/server/admission.ts";
import { Problem } from "../../src/server/problem.ts";

Deno.test("Admission refuses uploads that would take more memory together than there is", async () => {
  const admission = new Admission({ requests: 10, bytes: 100 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = admission.admit(60, () => promise);
  await assert.rejects(admission.admit(41, () => promise), (error) => error instanceof Problem && error.status === 429);
  const second = admission.admit(40, () => promise);
  assert.equal(admission.requests, 2);
  resolve();
  await Promise.all([first, second]);
  assert.equal(await admission.admit(100, () => Promise.resolve("done")), "done");
});

Deno.test("Admission gives room back after work that failed, and is idle when none is left", async () => {
  const admission = new Admission({ requests: 1, bytes: 1 });
  await admission.idle();
  for (let turn = 0; turn < 3; turn++) {
    await assert.rejects(admission.admit(1, () => Promise.reject(new RangeError("no"))), RangeError);
  }
  const { promise, resolve } = Promise.withResolvers<void>();
  const work = admission.admit(0, () => promise);
  let idle = false;
  const waiting = admission.idle().then(() => idle = true);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(idle, false);
  resolve();
  await Promise.all([work, waiting]);
  assert.equal(admission.requests, 0);
});
