import { fileErrorReason } from "../files/file_error.ts";
import { openRegular } from "../files/open_file.ts";
import { ImageError } from "./image_error.ts";

/** The location of an image's bytes: a file of its own, or a range of a larger file such as a tar. */
export interface ImageFile {
  /** The file. */
  readonly path: string;
  /**
   * Offset of the image's first byte in the file.
   *
   * @default {0}
   */
  readonly offset?: number;
  /**
   * Size in bytes.
   *
   * @default {up to the file's end}
   */
  readonly size?: number;
  /**
   * The image's name inside the file.
   *
   * @default {none, the file is the image}
   */
  readonly member?: string;
}

export interface ImageBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * The name shown to the user.
   *
   * @default {none}
   */
  readonly name?: string;
}

/** Images are held in memory whole, and none of 50 megapixels needs more. */
const MAX_BYTES = 256 * 2 ** 20;

/** An image's path for messages; inside a larger file as if that were a folder: "shard-0.tar/dog.jpg". */
export function imagePath({ path, member }: Pick<ImageFile, "path" | "member">): string {
  return member === undefined ? path : `${path}/${member}`;
}

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

/**
 * Reads an image file if the memory suffices; otherwise returns its size.
 *
 * @param memory Bytes of memory it may use.
 * @throws {ImageError} If the file cannot be read.
 */
export async function readImageBytes(file: ImageFile, memory = Infinity): Promise<Uint8Array<ArrayBuffer> | number> {
  try {
    const size = await sizeOf(file);
    return size > memory ? size : await readBytes(file, size);
  } catch (error) {
    throw error instanceof ImageError ? error : new ImageError(fileErrorReason(error));
  }
}

async function sizeOf({ path, offset = 0, size }: ImageFile): Promise<number> {
  const found = await Deno.stat(path);
  checkRegularFile(found);
  const bytes = size ?? found.size - offset;
  checkImageBytes(bytes);
  if (bytes < 0 || offset + bytes > found.size) {
    throw new ImageError(`the file ends before byte ${offset + bytes}, fetch or copy it again`);
  }
  return bytes;
}

async function readBytes({ path, offset = 0 }: ImageFile, size: number): Promise<Uint8Array<ArrayBuffer>> {
  using file = await openRegular(path);
  if (offset > 0) await file.seek(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(size);
  let filled = 0;
  while (filled < size) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) throw new ImageError("the file shrank while it was read, copy it again");
    filled += count;
  }
  return bytes;
}
