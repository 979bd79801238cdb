// Deno's file operations, one of which fails.

import type { WritableFile, WritableFileSystem } from "../../src/files/write_atomic.ts";

/** Which operation fails, and how. */
export interface FailingFileSystemOptions {
  /** The error's code, for example `ENOSPC`. */
  code?: string;
  /**
   * Its words.
   *
   * @default {"the cable is out"}
   */
  message?: string;
  /**
   * Maximum number of bytes one write accepts, which may be less than requested.
   *
   * @default {2}
   */
  writeBytes?: number;
}

/** The file operations, and the names of all that were tried: the last of them is the one that failed. */
export interface FailingFileSystem {
  /** For `writeAtomic()`. */
  readonly fileSystem: WritableFileSystem;
  /** Names in order, without the removal of the temporary. */
  readonly tried: readonly string[];
}

/** Deno's file operations, one of which fails. */
export function failingFileSystem(failing: number, options: FailingFileSystemOptions = {}): FailingFileSystem {
  const { code, message = "the cable is out", writeBytes = 2 } = options;
  const tried: string[] = [];
  async function attempt<T>(name: string, operation: () => Promise<T>): Promise<T> {
    tried.push(name);
    if (tried.length - 1 === failing) throw Object.assign(new Error(message), code === undefined ? {} : { code });
    return await operation();
  }
  function wrapped(kind: string, file: Deno.FsFile): WritableFile {
    return {
      write: (bytes) => attempt("write", () => file.write(bytes.subarray(0, writeBytes))),
      sync: () => attempt(`sync ${kind}`, () => file.sync()),
      close: () => file.close(),
    };
  }
  const fileSystem: WritableFileSystem = {
    openFolder: (path) => attempt("open folder", async () => wrapped("folder", await Deno.open(path))),
    create: (path) =>
      attempt("create", async () => wrapped("file", await Deno.open(path, { write: true, createNew: true }))),
    rename: (from, to) => attempt("rename", () => Deno.rename(from, to)),
    remove: (path) => Deno.remove(path),
  };
  return { fileSystem, tried };
}
