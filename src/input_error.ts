import { printable } from "./printable.ts";

/** Kinds of {@linkcode InputError}. */
export type InputErrorCode =
  | "INVALID_INPUT"
  | "INVALID_IMAGE"
  | "OUT_OF_MEMORY"
  | "DEVICE_UNAVAILABLE"
  | "GROUP_FAILED";

/** Options of {@linkcode InputError}. */
export interface InputErrorOptions extends ErrorOptions {
  /**
   * Its kind.
   *
   * @default {"INVALID_INPUT"}
   */
  readonly code?: InputErrorCode;
}

/**
 * Something outside the program is wrong: a file, an option, a device. The message is one line with the fault, its
 * place, and the remedy; commands print it without a stack trace and exit with code 1.
 *
 * @example Rejecting an empty file
 * ```ts
 * import assert from "node:assert/strict";
 * import { InputError } from "@lrcn/lrcn";
 * import { readCaptions } from "@lrcn/lrcn/data";
 *
 * const folder = await Deno.makeTempDir();
 * const file = `${folder}/captions.txt`;
 * await Deno.writeTextFile(file, "image,caption\n");
 * await assert.rejects(readCaptions({ format: "kaggle", files: [file], folder }), InputError);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class InputError extends Error {
  /** A constant, so that it survives bundling. */
  override readonly name = "InputError";
  /** Its kind, for programs. */
  readonly code: InputErrorCode;

  /**
   * Creates the error.
   *
   * @param message One line; control characters such as line breaks are escaped.
   */
  constructor(message: string, options: InputErrorOptions = {}) {
    super(printable(message), options);
    this.code = options.code ?? "INVALID_INPUT";
  }
}
