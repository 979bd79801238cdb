/**
 * Which files may hold an image, as far as can be told without a look into them.
 *
 * @module
 */

import { ImageError } from "./image_error.ts";

/** No image of 50 million pixels takes more, and what is read lies in memory whole. */
const MAX_BYTES = 256 * 2 ** 20;

/**
 * Refuses what is no regular file: reading a pipe or a device could wait or go on for ever.
 *
 * @param info What the system says of it.
 * @throws {ImageError} If it is none.
 */
export function checkRegularFile({ isFile, isDirectory }: Pick<Deno.FileInfo, "isFile" | "isDirectory">): void {
  if (isFile) return;
  throw new ImageError(`it is ${isDirectory ? "a folder" : "not a regular file"}, give an image file`);
}

/**
 * Refuses an image of too many bytes.
 *
 * @param bytes How many it has.
 * @throws {ImageError} If they are too many.
 */
export function checkImageBytes(bytes: number): void {
  if (bytes > MAX_BYTES) throw new ImageError(`the file has ${bytes} bytes, give one of at most ${MAX_BYTES}`);
}
