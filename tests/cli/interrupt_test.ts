import assert from "node:assert/strict";
import { listenToInterrupts } from "../../src/cli/interrupt.ts";
import { canRun } from "../support/test_data.ts";

const NO_PARENT = { parent: () => 0 };

Deno.test({
  name: "listenToInterrupts() aborts its signal once for signals within milliseconds",
  ignore: !canRun,
  async fn() {
    using interrupts = listenToInterrupts(undefined, NO_PARENT);
    assert(!interrupts.signal.aborted);
    let count = 0;
    interrupts.signal.addEventListener("abort", () => count++);
    // SIGINT would end the test runner too.
    Deno.kill(Deno.pid, "SIGTERM");
    Deno.kill(Deno.pid, "SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.equal(count, 1);
  },
});

Deno.test({
  name: "listenToInterrupts() takes the end of the terminal, SIGHUP, as it takes SIGTERM",
  ignore: !canRun,
  async fn() {
    using interrupts = listenToInterrupts(null, NO_PARENT);
    const { promise: aborted, resolve, reject } = Promise.withResolvers<void>();
    interrupts.signal.addEventListener("abort", () => resolve());
    // Listening does not keep a process alive.
    const deadline = setTimeout(() => reject(new Error("SIGHUP was not noticed")), 60_000);
    Deno.kill(Deno.pid, "SIGHUP");
    await aborted.finally(() => clearTimeout(deadline));
  },
});

Deno.test("listenToInterrupts() aborts its signal when the parent process has ended", async () => {
  const parents = [7, 7, 7, 1];
  using interrupts = listenToInterrupts(null, { parent: () => parents.shift() ?? 1, parentInterval: 1 });
  assert(!interrupts.signal.aborted);
  await new Promise((resolve) => interrupts.signal.addEventListener("abort", resolve));
  assert.deepEqual(parents, []);
});

Deno.test("listenToInterrupts() does not watch a parent that need not outlive its jobs", async () => {
  let looks = 0;
  using interrupts = listenToInterrupts(null, { parent: () => looks++, parentInterval: 0 });
  await new Promise((resolve) => setTimeout(resolve, 0));
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.deepEqual([looks, interrupts.signal.aborted], [1, false]);
});
