/**
 * A regular file that is read in pieces, each from its own place.
 *
 * @module
 */

import { InputError } from "../input_error.ts";
import { fileErrorReason } from "./file_error.ts";

/** An open file: close it with `using`. */
export interface RandomAccessFile extends Disposable {
  /** The file's bytes when it was opened. */
  readonly size: number;
  /**
   * Reads a piece. Pieces may be asked for at the same time.
   *
   * @param offset Where it begins.
   * @param length Its bytes.
   * @throws {InputError} The file ends before, or cannot be read.
   */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Opens a regular file.
 *
 * @param path Its path.
 * @returns The open file.
 * @throws {InputError} There is none, or it cannot be read; the message holds path and reason.
 */
export async function openFile(path: string): Promise<RandomAccessFile> {
  try {
    // Asked before opening: to open a pipe would wait for its writer.
    if (!(await Deno.stat(path)).isFile) throw new Error("it is not a file");
    const file = await Deno.open(path);
    try {
      return new OpenFile(path, file, (await file.stat()).size);
    } catch (error) {
      file.close();
      throw error;
    }
  } catch (error) {
    throw cannotRead(path, fileErrorReason(error), error);
  }
}

/**
 * The error of all readers of files.
 *
 * @param path The file.
 * @param reason What is wrong, and what to do.
 * @param cause The error behind it.
 * @returns The error, to be thrown.
 */
export function cannotRead(path: string, reason: string, cause?: unknown): InputError {
  return new InputError(`Cannot read '${path}': ${reason}`, cause === undefined ? undefined : { cause });
}

class OpenFile implements RandomAccessFile {
  // Seeking and reading are two operations on one position, so pieces wait for each other.
  #last: Promise<unknown> = Promise.resolve();

  constructor(readonly path: string, readonly file: Deno.FsFile, readonly size: number) {}

  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const piece = this.#last.then(() => this.#readAt(offset, length));
    this.#last = piece.catch(() => {});
    return piece;
  }

  async #readAt(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    try {
      const bytes = new Uint8Array(length);
      await this.file.seek(offset, Deno.SeekMode.Start);
      let filled = 0;
      while (filled < length) {
        const count = await this.file.read(bytes.subarray(filled));
        if (count === null) throw new Error(`it ends at byte ${offset + filled}, it has changed while it was read`);
        filled += count;
      }
      return bytes;
    } catch (error) {
      throw cannotRead(this.path, fileErrorReason(error), error);
    }
  }

  [Symbol.dispose](): void {
    this.file.close();
  }
}
