import { fileErrorReason } from "../files/file_error.ts";
import { checkImage } from "./check_image.ts";
import { decodeChecked } from "./decode_checked.ts";
import { decodeImage } from "./decode_image.ts";
import type { DecodeImageOptions, RgbImage } from "./rgb_image.ts";
import { decodingMemory } from "./decoding_memory.ts";
import { checkImageBytes, checkRegularFile } from "./image_bytes.ts";
import { ImageError } from "./image_error.ts";
import { type ImageFile, imagePath } from "./image_file.ts";

export interface ReadImageWithinOptions extends DecodeImageOptions {
  /** Bytes of memory that may be used. */
  memory: number;
}

/**
 * Reads and decodes an image file, whatever its extension.
 *
 * @throws {ImageError} If the file cannot be read or decoded; the message contains the path.
 */
export async function readImage(file: ImageFile, options: DecodeImageOptions = {}): Promise<RgbImage> {
  try {
    return await decodeImage(await readBytes(file, await sizeOf(file)), options);
  } catch (error) {
    if (error instanceof ImageError) throw new ImageError(error.reason, imagePath(file));
    throw error;
  }
}

/**
 * Reads and decodes an image file if the memory suffices. Otherwise returns the memory needed to proceed: first the
 * file's size, then, if that is granted, the decoder's memory.
 *
 * @throws {ImageError} If the file cannot be read or decoded.
 */
export async function readImageWithin(file: ImageFile, options: ReadImageWithinOptions): Promise<RgbImage | number> {
  const size = await sizeOf(file);
  if (size > options.memory) return size;
  return await decodeBytesWithin(await readBytes(file, size), options);
}

/**
 * Decodes an image if the memory suffices; otherwise returns the memory needed.
 *
 * @param bytes The whole file; detached afterwards.
 * @throws {ImageError} If it cannot be decoded.
 */
export async function decodeBytesWithin(
  bytes: Uint8Array<ArrayBuffer>,
  options: ReadImageWithinOptions,
): Promise<RgbImage | number> {
  // Freed at once instead of by the garbage collector: many Workers may hold large files.
  const release = () => void bytes.buffer.transfer(0);
  const header = checkImage(bytes, options);
  const memory = decodingMemory(header, bytes.length);
  if (memory <= options.memory) return await decodeChecked(bytes, header, { ...options, release });
  release();
  return memory;
}

async function sizeOf({ path, offset = 0, size }: ImageFile): Promise<number> {
  try {
    const found = await Deno.stat(path);
    checkRegularFile(found);
    const bytes = size ?? found.size - offset;
    checkImageBytes(bytes);
    if (bytes < 0 || offset + bytes > found.size) {
      throw new ImageError(`the file ends before byte ${offset + bytes}, fetch or copy it again`);
    }
    return bytes;
  } catch (error) {
    throw readError(error);
  }
}

async function readBytes({ path, offset = 0 }: ImageFile, size: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    using file = await Deno.open(path);
    if (offset > 0) await file.seek(offset, Deno.SeekMode.Start);
    const bytes = new Uint8Array(size);
    let filled = 0;
    while (filled < size) {
      const count = await file.read(bytes.subarray(filled));
      if (count === null) throw new ImageError("the file shrank while it was read, copy it again");
      filled += count;
    }
    return bytes;
  } catch (error) {
    throw readError(error);
  }
}

function readError(error: unknown): ImageError {
  return error instanceof ImageError ? error : new ImageError(fileErrorReason(error));
}
