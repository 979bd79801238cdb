import { ImageError } from "./image_error.ts";

/** Images are held in memory whole, and none of 50 megapixels needs more. */
const MAX_BYTES = 256 * 2 ** 20;

/**
 * Rejects anything but a regular file: reading a pipe or a device could block or never end.
 *
 * @throws {ImageError} If it is not one.
 */
export function checkRegularFile({ isFile, isDirectory }: Pick<Deno.FileInfo, "isFile" | "isDirectory">): void {
  if (isFile) return;
  throw new ImageError(`it is ${isDirectory ? "a folder" : "not a regular file"}, give an image file`);
}

/**
 * Rejects a file that is too large.
 *
 * @throws {ImageError} If it is.
 */
export function checkImageBytes(bytes: number): void {
  if (bytes > MAX_BYTES) throw new ImageError(`the file has ${bytes} bytes, give one of at most ${MAX_BYTES}`);
}
