// Tests that compute.

import assert from "node:assert/strict";
import { canLoad } from "./native.ts";
import { liveHandles } from "./test_abi.ts";

/** Registers a test that needs the native library, and fails if it leaves models or captions behind. */
export function nativeTest(name: string, fn: () => Promise<void>, options: { readonly ignore?: boolean } = {}): void {
  Deno.test({
    name,
    ignore: !canLoad || (options.ignore ?? false),
    async fn() {
      await fn();
      assert.equal(liveHandles(), 0n, "handles are left");
    },
  });
}
