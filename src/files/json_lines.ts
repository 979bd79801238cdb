// An append-only file of JSON lines, whose last line may be torn if its process was killed.

import { cannotRead } from "./open_file.ts";
import { fileErrorReason } from "./file_error.ts";

const NEWLINE = 10;
/** No line written by this program is as long: paths have at most 4,096 bytes. */
const MAX_LINE_BYTES = 2 ** 18;

/**
 * Reads the complete lines one by one, so that a file of a million is never held in memory. Lines that are not JSON or
 * too long are skipped: their content is recomputed if it is needed. Returns the offset of the end of the last complete
 * line.
 *
 * @param path The file; a missing one has no lines.
 * @param use Receives the value of each JSON line, in order.
 * @throws {InputError} If it cannot be read.
 */
export async function readJsonLines(path: string, use: (value: unknown) => void): Promise<number> {
  try {
    using file = await Deno.open(path);
    return await readLines(file, (line) => {
      const value = parseJson(line);
      if (value !== undefined) use(value);
    });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw cannotRead(path, fileErrorReason(error), error);
  }
}

export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

async function readLines(file: Deno.FsFile, use: (line: string) => void): Promise<number> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(MAX_LINE_BYTES);
  let [read, whole, kept, tooLong] = [0, 0, 0, false];
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer.subarray(kept))) {
    read += count;
    const bytes = buffer.subarray(0, kept + count);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      if (!tooLong) use(decoder.decode(bytes.subarray(start, end)));
      tooLong = false;
      start = end + 1;
    }
    if (start > 0) whole = read - (bytes.length - start);
    kept = bytes.length - start;
    buffer.copyWithin(0, start, bytes.length);
    if (kept === buffer.length) [kept, tooLong] = [0, true];
  }
  return whole;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
