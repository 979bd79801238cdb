import assert from "node:assert/strict";
import { checkDeno } from "../../src/ffi/library.ts";
import { InputError } from "../../src/input_error.ts";

Deno.test("checkDeno() refuses a Deno that frees buffers of calls that have not ended", () => {
  for (const version of ["1.46.3", "2.7.12", "2.8.99"]) {
    assert.throws(
      () => checkDeno(version),
      (error) => error instanceof InputError && error.message.includes(`in Deno ${version}: it needs 2.9 or newer`),
    );
  }
  for (const version of ["2.9.0", "2.9.6", "2.10.0", "3.0.0-rc.1"]) checkDeno(version);
  checkDeno();
});
