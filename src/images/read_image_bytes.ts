import { fileErrorReason } from "../files/file_error.ts";
import { ImageError } from "./image_error.ts";
import { checkImageBytes, checkRegularFile, type ImageFile } from "./image_file.ts";

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
}
