/**
 * Tests that compute.
 *
 * @module
 */

import assert from "node:assert/strict";
import { loadLibrary } from "../../src/ffi/library.ts";
import { canLoad } from "./native.ts";

/**
 * Registers a test that needs the native library, and fails where it leaves models or captions behind.
 *
 * @param name What is to hold.
 * @param fn The test.
 * @param options `ignore`: for another reason than that the library may not be loaded.
 */
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
