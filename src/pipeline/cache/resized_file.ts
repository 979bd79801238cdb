/**
 * The squares of a cache: one file of slots of one size, each with its checksum in the index.
 *
 * @module
 */

import { join } from "node:path";
import { crc32 } from "node:zlib";
import { openFile } from "../../files/open_file.ts";
import { InputError } from "../../input_error.ts";
import { CACHE_FILES, type StoredImage } from "./cache_index.ts";

/** ResizedFile to be read: close them with `using`, after the last read has ended. */
export interface ResizedFile extends Disposable {
  /** Whether the file reaches as far as an image's slot. */
  reaches(image: StoredImage): boolean;
  /**
   * Reads a square. ResizedFile may be asked for at the same time.
   *
   * @returns The square; undefined where it is not what was written.
   * @throws {InputError} If the file cannot be read.
   */
  read(image: StoredImage): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/** Bytes of a square of 8-bit R, G, B. */
export function resizedBytes(side: number): number {
  return side * side * 3;
}

/** A square's checksum. */
export function checksumOf(pixels: Uint8Array): number {
  return crc32(pixels);
}

/**
 * Opens a cache's squares.
 *
 * @param folder The cache's folder.
 * @param square Side of the squares in pixels.
 * @throws {InputError} If there is no such file, or it cannot be read.
 */
export async function openResizedFile(folder: string, side: number): Promise<ResizedFile> {
  const file = await openFile(join(folder, CACHE_FILES.resized));
  const bytes = resizedBytes(side);
  const reaches = ({ slot }: StoredImage) => slot !== undefined && (slot + 1) * bytes <= file.size;
  return {
    reaches,
    async read(image) {
      const { slot } = image;
      if (slot === undefined || !reaches(image)) return undefined;
      const pixels = await file.read(slot * bytes, bytes);
      return checksumOf(pixels) === image.checksum ? pixels : undefined;
    },
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

/** Opens a cache's squares where there are some; see {@linkcode openResizedFile}. */
export async function openResizedFileIfThere(folder: string, side: number): Promise<ResizedFile | undefined> {
  try {
    return await openResizedFile(folder, side);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
