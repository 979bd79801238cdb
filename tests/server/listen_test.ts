import assert from "node:assert/strict";
import { hostnamesOf, onAllNetworks } from "../../src/server/listen.ts";

Deno.test("hostnamesOf() returns this machine's names and those that are allowed", () => {
  assert.deepEqual(hostnamesOf(), ["127.0.0.1", "localhost", "[::1]"]);
  assert.deepEqual(hostnamesOf(["captions.example"]), ["127.0.0.1", "localhost", "[::1]", "captions.example"]);
});

Deno.test("onAllNetworks() tells whether other machines may connect", () => {
  assert.deepEqual(["127.0.0.1", "localhost", "::1", "0.0.0.0", "::"].filter(onAllNetworks), ["0.0.0.0", "::"]);
});
