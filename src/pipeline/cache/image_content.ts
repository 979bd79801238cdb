// Identifies an image file's content by its digest, and detects changes without reading it.

import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { fileErrorReason } from "../../files/file_error.ts";
import { openRegular } from "../../files/open_file.ts";
import { checkImageBytes, checkRegularFile } from "../../images/image_file.ts";
import { ImageError } from "../../images/image_error.ts";
import type { Example } from "../../data/dataset.ts";
import { readAhead } from "../../read_ahead.ts";
import type { ImageFile } from "../../images/image_file.ts";

/** An image file's state on disk, without its content. */
export interface FileState {
  /** Its absolute path. */
  readonly path: string;
  /** Offset of the image, if the file holds several. */
  readonly offset?: number | undefined;
  /** Bytes of the image. */
  readonly size: number;
  /** Time of change in milliseconds since 1970. */
  readonly changed: number;
}

export interface FileStateNow extends FileState {
  /** It changed so recently that another change could have the same time: file system clocks tick slowly. */
  readonly fresh: boolean;
}

export interface FileStateOptions {
  /**
   * The current time in milliseconds since 1970.
   *
   * @default {Date.now}
   */
  readonly now?: () => number;
  /**
   * Reads a file's metadata.
   *
   * @default {Deno.stat}
   */
  readonly stat?: (path: string) => Promise<Deno.FileInfo>;
}

/** The slowest clock tick of file systems in use. */
const TICK_MS = 2000;

const PIECE_BYTES = 2 ** 20;
/** Files to stat at once. */
const AHEAD = 32;

/** Identifies a file by its path and the image's offset. */
export function fileKey({ path, offset }: Pick<FileState, "path" | "offset">): string {
  return offset === undefined ? path : `${path}\0${offset}`;
}

/** Tells whether a file is unchanged, judging by size and time of change. */
export function sameState(one: FileState, other: FileState): boolean {
  return one.size === other.size && one.changed === other.changed;
}

/**
 * Reads a file's size and time of change.
 *
 * @throws {ImageError} If there is no such file.
 */
export async function fileState(
  { path, offset, size }: ImageFile,
  options: FileStateOptions = {},
): Promise<FileStateNow> {
  const { now = Date.now, stat = Deno.stat } = options;
  const info = await orImageError(path, () => stat(path));
  checkRegularFile(info);
  // ctime reveals a change even if a copying program resets the modification time.
  const changed = (info.ctime ?? info.mtime)?.getTime() ?? 0;
  return {
    path: resolve(path),
    ...(offset !== undefined && { offset }),
    size: size ?? info.size - (offset ?? 0),
    changed,
    fresh: now() - changed < TICK_MS,
  };
}

/**
 * The SHA-256 of an image's bytes in hexadecimal digits.
 *
 * @throws {ImageError} If they cannot be read, are too many, or fewer than stated.
 */
export async function contentDigest({ path, offset, size }: FileState): Promise<string> {
  checkImageBytes(size);
  return await orImageError(path, async () => {
    using file = await openRegular(path);
    if (offset !== undefined) await file.seek(offset, Deno.SeekMode.Start);
    const hash = createHash("sha256");
    const piece = new Uint8Array(Math.min(size, PIECE_BYTES));
    for (let left = size; left > 0;) {
      const count = await file.read(piece.subarray(0, left));
      if (count === null) throw new Error("it ends too early, fetch or copy it again");
      hash.update(piece.subarray(0, count));
      left -= count;
    }
    return hash.digest("hex");
  });
}

/** An example and its image file. */
export interface FoundFile {
  readonly example: Example;
  /** The file's state, or the reason it cannot be read. */
  readonly state: FileStateNow | ImageError;
}

export interface FindFilesOptions {
  /** The current time in milliseconds since 1970. */
  readonly now: () => number;
  /** Aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** Reads the state of each example's image file, in order. A file that holds several images is read once. */
export async function findFiles(
  examples: readonly Example[],
  { now, signal }: FindFilesOptions,
): Promise<FoundFile[]> {
  const infos = new Map<string, Promise<Deno.FileInfo>>();

  function stat(path: string): Promise<Deno.FileInfo> {
    const info = infos.get(path) ?? Deno.stat(path);
    infos.set(path, info);
    return info;
  }

  async function find(example: Example): Promise<FoundFile> {
    try {
      return { example, state: await fileState(example, { now, stat }) };
    } catch (error) {
      if (error instanceof ImageError) return { example, state: error };
      throw error;
    }
  }

  const found: FoundFile[] = [];
  for await (const file of readAhead(find, examples, AHEAD)) {
    signal?.throwIfAborted();
    found.push(file);
  }
  return found;
}

async function orImageError<T>(path: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new ImageError(fileErrorReason(error), path);
  }
}
