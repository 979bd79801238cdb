import assert from "node:assert/strict";
import { hostnamesOf } from "../../src/server/listen.ts";

Deno.test("hostnamesOf() gives the names of this machine, which a page elsewhere cannot have, unless others may call", () => {
  for (const host of ["127.0.0.1", "localhost", "::1"]) {
    assert.deepEqual(hostnamesOf(host), ["127.0.0.1", "localhost", "[::1]"]);
  }
  for (const host of ["0.0.0.0", "::"]) assert.equal(hostnamesOf(host), undefined);
});
