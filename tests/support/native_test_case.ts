// Tests that compute.

import assert from "node:assert/strict";
import { loadLibrary } from "../../src/ffi/library.ts";
import { canLoad } from "./native.ts";

/** Registers a test that needs the native library, and fails if it leaves models or captions behind. */
export function nativeTest(name: string, fn: () => Promise<void>, options: { readonly ignore?: boolean } = {}): void {
  Deno.test({
    name,
    ignore: !canLoad || (options.ignore ?? false),
    async fn() {
      await fn();
      assert.equal(loadLibrary().symbols.lrcn_live_handles(), 0n, "handles are left");
    },
  });
}
