/**
 * What an image file holds, known by its digest, and how to see that it is still the same without reading it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { fileErrorReason } from "../../files/file_error.ts";
import { checkImageBytes, checkRegularFile } from "../../images/image_bytes.ts";
import { ImageError } from "../../images/image_error.ts";
import type { ImageFile } from "../../images/image_file.ts";

/** An image file as it lies on the disk, without a look into it. */
export interface FileState {
  /** Its absolute path. */
  readonly path: string;
  /** Where the image begins in the file, for one of several. */
  readonly offset?: number | undefined;
  /** Bytes of the image. */
  readonly size: number;
  /** When the file changed, in milliseconds since 1970. */
  readonly changed: number;
}

/** A file's state at a moment. */
export interface FileStateNow extends FileState {
  /** Whether it changed so shortly before that another change could have the same time: clocks of files tick slowly. */
  readonly fresh: boolean;
}

/** Options of {@linkcode fileState}. */
export interface FileStateOptions {
  /**
   * The present time in milliseconds since 1970.
   *
   * @default {Date.now}
   */
  readonly now?: () => number;
  /**
   * Asks the system.
   *
   * @default {Deno.stat}
   */
  readonly stat?: (path: string) => Promise<Deno.FileInfo>;
}

/** The slowest tick of file systems in use. */
const TICK_MS = 2000;

const PIECE_BYTES = 2 ** 20;

/** Tells files apart: their path, and where in it the image begins. */
export function fileKey({ path, offset }: Pick<FileState, "path" | "offset">): string {
  return offset === undefined ? path : `${path}\0${offset}`;
}

/** Whether a file is as it was, as far as its size and time of change tell. */
export function sameState(one: FileState, other: FileState): boolean {
  return one.size === other.size && one.changed === other.changed;
}

/**
 * Asks for a file's size and time of change.
 *
 * @param file The image file.
 * @param options See {@linkcode FileStateOptions}.
 * @returns What it is now.
 * @throws {ImageError} If there is no such file.
 */
export async function fileState(
  { path, offset, size }: ImageFile,
  options: FileStateOptions = {},
): Promise<FileStateNow> {
  const { now = Date.now, stat = Deno.stat } = options;
  const info = await explained(path, () => stat(path));
  checkRegularFile(info);
  // ctime tells of a change even where a copying program sets the time of modification back.
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
 * Reads an image's bytes for their digest.
 *
 * @param state Where they are.
 * @returns SHA-256 in hexadecimal digits.
 * @throws {ImageError} If they cannot be read, are too many, or fewer than were said.
 */
export async function contentDigest({ path, offset, size }: FileState): Promise<string> {
  checkImageBytes(size);
  return await explained(path, async () => {
    using file = await Deno.open(path);
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

async function explained<T>(path: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new ImageError(fileErrorReason(error), path);
  }
}
