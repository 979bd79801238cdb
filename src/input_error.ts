/**
 * The one error for wrong input.
 *
 * @module
 */

import { printable } from "./printable.ts";

/**
 * Something outside the program is wrong: a file, an option, a device. The message is one line that says what failed,
 * where, and what to do; commands print it alone, without a stack trace, and exit with code 1.
 *
 * @example Refusing an empty file
 * ```ts
 * import assert from "node:assert/strict";
 * import { InputError, readCaptions } from "@lrcn/lrcn";
 *
 * const folder = await Deno.makeTempDir();
 * const file = `${folder}/captions.txt`;
 * await Deno.writeTextFile(file, "image,caption\n");
 * await assert.rejects(readCaptions({ format: "kaggle", files: [file], folder }), InputError);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class InputError extends Error {
  /** The class's name, so that it survives bundling. */
  override readonly name = "InputError";

  /**
   * Makes the error of one line.
   *
   * @param message The line; what a terminal would obey in it, such as a line break in a file's name, is escaped.
   * @param options The error behind it.
   */
  constructor(message: string, options?: ErrorOptions) {
    super(printable(message), options);
  }
}
