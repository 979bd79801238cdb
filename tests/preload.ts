/**
 * What `deno task test` runs before each test file and each example of the documentation: it loads the native library, and
 * lets a test or an example fail that leaves models or captions behind.
 *
 * @module
 */

import assert from "node:assert/strict";
import { loadLibrary } from "../src/ffi/library.ts";
import { liveHandles } from "./support/test_abi.ts";

// Loaded inside a test, it would be blamed on the test as a leak.
loadLibrary();

Deno.test.afterEach(() => assert.equal(liveHandles(), 0n, "handles are left"));
