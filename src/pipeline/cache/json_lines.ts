/**
 * A file of JSON lines that only grows, and that a killed process may have left with a torn end.
 *
 * @module
 */

import { cannotRead } from "../../files/open_file.ts";
import { fileErrorReason } from "../../files/file_error.ts";

/** What such a file holds. */
export interface JsonLines {
  /** The values of its whole lines that are JSON, in their order. */
  readonly values: readonly unknown[];
  /** Bytes up to the end of the last whole line. */
  readonly wholeBytes: number;
}

const NEWLINE = 10;
/** No line that this program writes is as long: paths have at most 4,096 bytes. */
const MAX_LINE_BYTES = 2 ** 16;

/**
 * Reads the whole lines. What is no JSON is passed over: whoever needs it makes it anew.
 *
 * @param path The file; one that is not there has none.
 * @throws {InputError} If it cannot be read.
 */
export async function readJsonLines(path: string): Promise<JsonLines> {
  const bytes = await readIfThere(path);
  const values: unknown[] = [];
  const decoder = new TextDecoder();
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    if (end - start <= MAX_LINE_BYTES) {
      const value = parseJson(decoder.decode(bytes.subarray(start, end)));
      if (value !== undefined) values.push(value);
    }
    start = end + 1;
  }
  return { values, wholeBytes: start };
}

/** The text of a line with its end. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

async function readIfThere(path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Uint8Array();
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw cannotRead(path, fileErrorReason(error), error);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
