import assert from "node:assert/strict";
import { hostnamesOf } from "../../src/server/listen.ts";

Deno.test("hostnamesOf() returns this machine's names, unless other machines may connect", () => {
  for (const host of ["127.0.0.1", "localhost", "::1"]) {
    assert.deepEqual(hostnamesOf(host), ["127.0.0.1", "localhost", "[::1]"]);
  }
  for (const host of ["0.0.0.0", "::"]) assert.equal(hostnamesOf(host), undefined);
});
