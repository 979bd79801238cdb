/**
 * Writing a file whole or not at all.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { InputError } from "../input_error.ts";
import { errorCode, fileErrorReason } from "./file_error.ts";

/** An open file or folder, as far as writing needs it. */
export interface WritableFile {
  /** Writes some of the bytes and says how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Brings what was written to the disk. */
  sync(): Promise<void>;
  /** Closes it. */
  close(): void;
}

/** The file operations of {@linkcode writeAtomic}, so that a test can make each of them fail. */
export interface WritableFileSystem {
  /** Opens a folder, to flush its entries. */
  openFolder(path: string): Promise<WritableFile>;
  /** Creates a file that is not there yet. */
  create(path: string): Promise<WritableFile>;
  /** Puts one file in another's place. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file. */
  remove(path: string): Promise<void>;
}

/** Options of {@linkcode writeAtomic}. */
export interface WriteAtomicOptions {
  /**
   * Bytes that the whole file takes, to be named where the disk is full.
   *
   * @default {undefined}
   */
  size?: number;
  /**
   * The file operations.
   *
   * @default {Deno's}
   */
  fileSystem?: WritableFileSystem;
}

const TEMPORARY_END = ".tmp";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const DENO_FILE_SYSTEM: WritableFileSystem = {
  openFolder: (path) => Deno.open(path),
  create: (path) => Deno.open(path, { write: true, createNew: true }),
  rename: Deno.rename,
  remove: (path) => Deno.remove(path),
};

/**
 * Writes a file beside its place, flushes it, puts it in its place and flushes the folder. Until the last moment the
 * former file stays as it was, and a failure leaves nothing behind.
 *
 * @param path Where the file shall be; its folder must exist.
 * @param chunks The content, piece by piece. What its iterator throws is passed on as it is.
 * @param options See {@linkcode WriteAtomicOptions}.
 * @throws {InputError} A file operation failed; the message holds the path and the reason. Only where the last one did,
 * flushing the folder, is the new file in its place, and whole.
 */
export async function writeAtomic(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: WriteAtomicOptions = {},
): Promise<void> {
  const { size, fileSystem = DENO_FILE_SYSTEM } = options;
  const temporary = join(dirname(path), `${temporaryPrefix(basename(path))}${crypto.randomUUID()}${TEMPORARY_END}`);

  async function attempt<T>(operation: () => T | Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      throw new InputError(`Cannot write '${path}': ${reason(error, size)}`, { cause: error });
    }
  }

  // Opened first, so that a folder that cannot be flushed is refused while the former file is in its place.
  const folder = await attempt(() => fileSystem.openFolder(dirname(path)));
  try {
    const file = await attempt(() => fileSystem.create(temporary));
    try {
      try {
        for await (const chunk of chunks) await attempt(() => writeAll(file, chunk));
        await attempt(() => file.sync());
      } finally {
        file.close();
      }
      await attempt(() => fileSystem.rename(temporary, path));
    } catch (error) {
      // The first error says what is wrong; a temporary that cannot be removed would only hide it.
      await fileSystem.remove(temporary).catch(() => {});
      throw error;
    }
    await attempt(() => flushFolder(folder));
  } finally {
    folder.close();
  }
}

/**
 * Tells whether a file's name is one that {@linkcode writeAtomic} gives its temporaries. Names of more than 40 characters
 * share theirs with others that begin alike.
 *
 * @param name The name of the file that is written, without its folder.
 * @param candidate The name of a file in the same folder.
 * @returns Whether it is such a temporary's.
 */
export function isTemporaryOf(name: string, candidate: string): boolean {
  const prefix = temporaryPrefix(name);
  return candidate.startsWith(prefix) && candidate.endsWith(TEMPORARY_END) &&
    UUID.test(candidate.slice(prefix.length, -TEMPORARY_END.length));
}

// Cut, so that a long name with the rest is not too long for the file system; by whole characters.
function temporaryPrefix(name: string): string {
  return `.${[...name].slice(0, 40).join("")}.`;
}

async function writeAll(file: WritableFile, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.byteLength) {
    const count = await file.write(bytes.subarray(written));
    if (count <= 0) throw new Error("the disk takes no more bytes");
    written += count;
  }
}

async function flushFolder(folder: WritableFile): Promise<void> {
  try {
    await folder.sync();
  } catch (error) {
    // Some network file systems cannot flush a folder, and need not.
    if (!["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(errorCode(error))) throw error;
  }
}

function reason(error: unknown, size: number | undefined): string {
  const words = fileErrorReason(error);
  if (!["ENOSPC", "EDQUOT"].includes(errorCode(error))) return words;
  return `${words}, ${size === undefined ? "free some space" : `free ${size} bytes`}`;
}
