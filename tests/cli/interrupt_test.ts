import assert from "node:assert/strict";
import { listenToInterrupts } from "../../src/cli/interrupt.ts";
import { canRun } from "../support/test_data.ts";

Deno.test({
  name: "listenToInterrupts() aborts its signal once for signals within milliseconds",
  ignore: !canRun,
  async fn() {
    using interrupts = listenToInterrupts();
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
