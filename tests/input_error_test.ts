import assert from "node:assert/strict";
import { InputError } from "../src/input_error.ts";

Deno.test("InputError has a message on one line, whatever names it contains", () => {
  const cause = new Error("cause");
  const error = new InputError("there is no file a\nb\u001b[2J.txt; check the path", { cause });
  assert.equal(error.message, String.raw`there is no file a\u000ab\u001b[2J.txt; check the path`);
  assert.deepEqual([error.name, error.cause], ["InputError", cause]);
});
