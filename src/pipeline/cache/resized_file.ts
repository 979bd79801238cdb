// The resized images of a cache: one file of slots of equal size, with their checksums in the index.

import { join } from "node:path";
import { crc32 } from "node:zlib";
import { openFile } from "../../files/open_file.ts";
import { InputError } from "../../input_error.ts";
import { CACHE_FILES, type StoredImage } from "./cache_index.ts";

/** Resized images; close with `using`, after the last read. */
export interface ResizedFile extends Disposable {
  /** Tells whether the file contains an image's slot. */
  reaches(image: StoredImage): boolean;
  /**
   * Reads a resized image; undefined if it is damaged. Reads may overlap.
   *
   * @throws {InputError} If the file cannot be read.
   */
  read(image: StoredImage): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/** Bytes of a resized image: side x side x 3. */
export function resizedBytes(side: number): number {
  return side * side * 3;
}

export function checksumOf(pixels: Uint8Array): number {
  return crc32(pixels);
}

/**
 * Opens a cache's resized images.
 *
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

/** Opens a cache's resized images if there are any. */
export async function openResizedFileIfThere(folder: string, side: number): Promise<ResizedFile | undefined> {
  try {
    return await openResizedFile(folder, side);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
