import { basename, dirname, join } from "node:path";
import { InputError } from "../input_error.ts";
import { errorCode, fileErrorReason } from "./file_error.ts";

/** An open file or folder, as far as writing needs it. */
export interface WritableFile {
  /** Writes some of the bytes and returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Flushes to the disk. */
  sync(): Promise<void>;
  /** Closes it. */
  close(): void;
}

/** The file operations of {@linkcode writeAtomic}, so that a test can make each of them fail. */
export interface WritableFileSystem {
  /** Opens a folder, to flush its entries. */
  openFolder(path: string): Promise<WritableFile>;
  /** Creates a new file; fails if it exists. */
  create(path: string): Promise<WritableFile>;
  /** Renames a file, replacing the target. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file. */
  remove(path: string): Promise<void>;
}

/** Options of {@linkcode writeAtomic}. */
export interface WriteAtomicOptions {
  /**
   * Size of the whole file in bytes, for the message if the disk is full.
   *
   * @default {undefined}
   */
  size?: number;
  /**
   * Fail if the file exists, and leave nothing if anything fails. Of several processes at once, one succeeds.
   *
   * @default {false}
   */
  onlyNew?: boolean;
  /**
   * The file operations.
   *
   * @default {Deno's}
   */
  fileSystem?: WritableFileSystem;
}

const TEMPORARY_END = ".tmp";
/** Errors of file systems that have no links, such as FAT. */
const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const DENO_FILE_SYSTEM: WritableFileSystem = {
  openFolder: (path) => Deno.open(path),
  create: (path) => Deno.open(path, { write: true, createNew: true }),
  rename: (from, to) => Deno.rename(from, to),
  remove: (path) => Deno.remove(path),
};

/**
 * Writes a file atomically: to a temporary beside it, flushed, renamed, and the folder flushed. Until the rename the
 * previous file is untouched, and a failure leaves nothing behind.
 *
 * @param path The file; its folder must exist.
 * @param chunks The content in pieces. Errors of the iterator are passed on unchanged.
 * @throws {InputError} If a file operation fails; the message contains path and reason. Only if flushing the folder
 * fails is the new file already in place, and complete. With `onlyNew`, the cause is `Deno.errors.AlreadyExists` if it
 * exists.
 */
export async function writeAtomic(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: WriteAtomicOptions = {},
): Promise<void> {
  const { size, onlyNew = false, fileSystem = DENO_FILE_SYSTEM } = options;
  const temporary = join(dirname(path), `${temporaryPrefix(basename(path))}${crypto.randomUUID()}${TEMPORARY_END}`);

  async function attempt<T>(operation: () => T | Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      throw new InputError(`Cannot write '${path}': ${reason(error, size)}`, { cause: error });
    }
  }

  // Opened first, so that a folder that cannot be flushed fails while the previous file is in place.
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
      await attempt(() => onlyNew ? placeNew(temporary, path) : fileSystem.rename(temporary, path));
    } catch (error) {
      // Keep the first error; a failure to remove the temporary would hide it.
      await fileSystem.remove(temporary).catch(() => {});
      throw error;
    }
    try {
      await attempt(() => flushFolder(folder));
    } catch (error) {
      if (onlyNew) await fileSystem.remove(path).catch(() => {});
      throw error;
    }
  } finally {
    folder.close();
  }
}

/** Gives a file its name if that is free, or leaves it. */
async function placeNew(temporary: string, path: string): Promise<void> {
  try {
    await Deno.link(temporary, path);
  } catch (error) {
    if (!NO_LINKS.includes(errorCode(error))) throw error;
    // The name is taken first, so that only one process gets it.
    (await Deno.open(path, { write: true, createNew: true })).close();
    await orRemove(path, () => Deno.rename(temporary, path));
    return;
  }
  await orRemove(path, () => Deno.remove(temporary));
}

async function orRemove(path: string, operation: () => Promise<void>): Promise<void> {
  try {
    await operation();
  } catch (error) {
    await Deno.remove(path).catch(() => {});
    throw error;
  }
}

/**
 * Tells whether `candidate` is a temporary of {@linkcode writeAtomic} for the file `name` in the same folder. Names
 * that agree in their first 40 characters share their temporaries.
 */
export function isTemporaryOf(name: string, candidate: string): boolean {
  const prefix = temporaryPrefix(name);
  return candidate.startsWith(prefix) && candidate.endsWith(TEMPORARY_END) &&
    UUID.test(candidate.slice(prefix.length, -TEMPORARY_END.length));
}

// Truncated by whole characters, so that the temporary's name does not become too long for the file system.
function temporaryPrefix(name: string): string {
  return `.${[...name].slice(0, 40).join("")}.`;
}

async function writeAll(file: WritableFile, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.byteLength) {
    const count = await file.write(bytes.subarray(written));
    if (count <= 0) throw new Error("the disk accepts no more bytes");
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
