/**
 * From an image file to its pixels.
 *
 * @module
 */

import { fileErrorReason } from "../files/file_error.ts";
import { decodeImage, type DecodeImageOptions, type RgbImage } from "./decode_image.ts";
import { ImageError } from "./image_error.ts";

/** No photograph of 50 million pixels takes more, and what is read lies in memory whole. */
const MAX_FILE_BYTES = 256 * 2 ** 20;

/**
 * Reads and decodes an image file.
 *
 * @param path The file; its name's ending does not matter.
 * @param options See {@linkcode DecodeImageOptions}.
 * @returns The picture.
 * @throws {ImageError} If the file cannot be read or decoded; the message holds the path.
 */
export async function readImage(path: string, options: DecodeImageOptions = {}): Promise<RgbImage> {
  try {
    return await decodeImage(await readBytes(path), options);
  } catch (error) {
    if (error instanceof ImageError) throw new ImageError(error.reason, path);
    throw error;
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const { isFile, isDirectory, size } = await Deno.stat(path);
    if (isDirectory) throw new ImageError("it is a folder, give an image file");
    // Reading a pipe or a device could wait or go on for ever.
    if (!isFile) throw new ImageError("it is not a regular file");
    if (size > MAX_FILE_BYTES) {
      throw new ImageError(`the file has ${size} bytes, give one of at most ${MAX_FILE_BYTES}`);
    }
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof ImageError) throw error;
    throw new ImageError(fileErrorReason(error));
  }
}
