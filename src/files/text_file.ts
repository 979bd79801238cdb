/**
 * Text files from outside.
 *
 * @module
 */

import { fileErrorReason } from "./file_error.ts";
import { InputError } from "../input_error.ts";

/** Options of {@linkcode readTextFile}. */
export interface ReadTextFileOptions {
  /**
   * The most bytes that are read.
   *
   * @default {256 MiB}
   */
  maxBytes?: number;
}

/** The largest captions file in use has 144 MB. */
const MAX_BYTES = 256 * 2 ** 20;

/**
 * Reads a text file in UTF-8, with or without a byte order mark.
 *
 * @param path The file.
 * @param what What the file holds, for error messages: "captions".
 * @param options See {@linkcode ReadTextFileOptions}.
 * @returns The text without the byte order mark; lines that end with a lone carriage return end with a line feed.
 * @throws {InputError} If there is no such file, it may not be read, is too large, or is no text.
 */
export async function readTextFile(path: string, what: string, options: ReadTextFileOptions = {}): Promise<string> {
  const { maxBytes = MAX_BYTES } = options;
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  let size: number;
  try {
    const info = await Deno.stat(path);
    size = info.size;
    // To read a pipe would wait for its writer.
    if (!info.isFile && !info.isDirectory) throw new InputError(`Cannot read ${what}: ${path} is not a regular file`);
    if (size <= maxBytes) bytes = await Deno.readFile(path);
  } catch (error) {
    // A Deno permission that was not given explains itself.
    if (error instanceof InputError || error instanceof Deno.errors.NotCapable) throw error;
    throw new InputError(`Cannot read ${what} '${path}': ${fileErrorReason(error)}`, { cause: error });
  }
  if (bytes === undefined) {
    throw new InputError(`Cannot read ${what}: ${path} has ${size} bytes, more than ${maxBytes}; give a smaller file`);
  }
  let text: string | undefined;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    // The decoder throws nothing but a TypeError for bytes that are not UTF-8.
    if (!(error instanceof TypeError)) throw error;
  }
  // Given back at once: 145 MB would else wait until memory is short.
  bytes.buffer.transfer(0);
  if (text === undefined || text.includes("\0")) {
    throw new InputError(`Cannot read ${what}: ${path} is not a text file in UTF-8; convert it or name another file`);
  }
  // Files of old Macs end their lines so.
  return text.includes("\n") ? text : text.replaceAll("\r", "\n");
}
