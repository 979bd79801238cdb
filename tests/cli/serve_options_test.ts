import assert from "node:assert/strict";
import { createCommand } from "../../src/cli/command.ts";
import { addServeOptions, parseServeOptions } from "../../src/cli/serve_options.ts";

function parse(...args: readonly string[]) {
  const command = addServeOptions(createCommand("serve", "Serves.")).exitOverride().configureOutput({
    writeErr: () => {},
  });
  command.parse([...args], { from: "user" });
  return parseServeOptions(command.opts());
}

Deno.test("--allow-host names hosts, and refuses what is no host name", () => {
  assert.deepEqual(parse().allowHost, []);
  assert.deepEqual(parse("--allow-host", "Captions.example", "--allow-host", "nas").allowHost, [
    "captions.example",
    "nas",
  ]);
  for (const name of ["http://a.example", "a.example:80", "a/b", "", "*", "a b"]) {
    assert.throws(() => parse("--allow-host", name), /host name, without http:\/\/ and port/, name);
  }
});
