// Checks that a hostile file is rejected in one line, or listed in lines that are safe to print.

import assert from "node:assert/strict";
import { describeInspection, inspectFile } from "../../../src/cli/inspect_file.ts";
import { InputError } from "../../../src/input_error.ts";

const ONE_LINE = /^[^\p{Cc}\p{Zl}\p{Zp}]{1,600}$/u;
// A tensor of 64 dimensions of 16 digits; a value of a checkpoint's settings.
const LINE_CHARACTERS = 4200;

/** Checks that a reader may throw an error. */
export function refusalOf(error: unknown, path: string): string {
  assert.ok(error instanceof InputError, `not an InputError: ${error}`);
  assert.ok(error.message.startsWith(`Cannot read '${path}': `), error.message);
  assert.match(error.message, ONE_LINE);
  return error.message;
}

/**
 * Lists a file as `deno task inspect` does.
 *
 * @throws {InputError} It cannot be read.
 */
export async function listing(path: string): Promise<string> {
  const text = describeInspection(await inspectFile(path));
  for (const line of text.split("\n")) {
    assert.ok(line.length <= LINE_CHARACTERS, `a line has ${line.length} characters`);
    assert.doesNotMatch(line, /\p{C}/u);
  }
  return text;
}
