// Standard output and standard error. Lines may contain text from strangers' files, so that everything that a terminal may
// interpret is escaped.

import { fileErrorReason } from "../files/file_error.ts";
import { InputError } from "../input_error.ts";
import { printableLines } from "../printable.ts";

/**
 * Writes a line of results to standard output.
 *
 * @throws {Deno.errors.BrokenPipe} If its reader has closed it.
 * @throws {InputError} If it cannot be written, for example because the disk is full.
 */
export function printLine(line: string): void {
  printText(`${line}\n`);
}

/** As {@linkcode printLine}, without a line end. */
export function printText(text: string): void {
  let bytes = encoded(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
  } catch (error) {
    throw outputError(error);
  }
}

/**
 * Writes a text to standard output unchanged, and does other work while a slow reader makes it wait.
 *
 * @throws {Deno.errors.BrokenPipe} If its reader has closed it.
 * @throws {InputError} If it cannot be written.
 */
export async function writeOutput(text: string): Promise<void> {
  let bytes: Uint8Array = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(await Deno.stdout.write(bytes));
  } catch (error) {
    throw outputError(error);
  }
}

/** Writes a line to standard error. It cannot fail: there is no place to say so. */
export function printNote(line: string): void {
  let bytes = encoded(`${line}\n`);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
  } catch {
    // The terminal is gone, its reader has closed it, or the disk is full. The task's files matter more.
  }
}

/** Writes lines about a long task to standard output. The task matters more: if that fails, it is noted once. */
export function progressPrinter(
  print: (line: string) => void = printLine,
  note: (line: string) => void = printNote,
): (line: string) => void {
  let failed = false;
  return (line) => {
    if (failed) return;
    try {
      print(line);
    } catch (error) {
      failed = true;
      if (error instanceof InputError) note(`Warning: ${error.message}; the task continues without it`);
    }
  };
}

function encoded(text: string): Uint8Array {
  return new TextEncoder().encode(printableLines(text));
}

function outputError(error: unknown): unknown {
  if (error instanceof Deno.errors.BrokenPipe) return error;
  return new InputError(`Cannot write to standard output: ${fileErrorReason(error)}`, { cause: error });
}
