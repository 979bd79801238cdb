import type { DecodeImageOptions } from "./rgb_image.ts";
import { decodingMemory } from "./decoding_memory.ts";
import { ImageError } from "./image_error.ts";
import { type ImageHeader, readImageHeader } from "./image_header.ts";

/** The default limit on an image's pixels. */
export const DEFAULT_MAX_PIXELS = 50e6;
/** The maximum aspect ratio: resizing the short side would scale a strip's long side up without limit. */
const MAX_ASPECT = 64;
/**
 * Bytes of memory per allowed pixel: enough for 50 megapixels of a baseline JPEG with 4:2:0 chroma, and 500 MB in all
 * with the overhead of the Workers.
 */
const MEMORY_PER_PIXEL = 8;

/**
 * Reads an image's header and rejects images that are too large or too elongated.
 *
 * @throws {ImageError} If the file is not a JPEG or PNG, or must not be decoded.
 */
export function checkImage(bytes: Uint8Array, options: DecodeImageOptions = {}): ImageHeader {
  const { maxPixels = DEFAULT_MAX_PIXELS } = options;
  const header = readImageHeader(bytes);
  const { kind, width, height } = header;
  const shape = `${width} x ${height} pixels`;
  const tooMany = tooManyPixels(header, maxPixels);
  if (tooMany !== undefined) throw new ImageError(tooMany);
  if (Math.max(width, height) > MAX_ASPECT * Math.min(width, height)) {
    throw new ImageError(`the image has ${shape}, crop it to at most ${MAX_ASPECT} times its short side`);
  }
  const memory = decodingMemory(header, bytes.length);
  const limit = MEMORY_PER_PIXEL * Math.max(maxPixels, DEFAULT_MAX_PIXELS);
  if (memory > limit) {
    const prefix = kind === "jpeg" && header.progressive ? "progressive " : "";
    const allowed = Math.floor(width * height * limit / memory);
    throw new ImageError(
      `the ${prefix}${kind.toUpperCase()} has ${shape} and takes ${megabytes(memory)} MB to decode, more than ` +
        `${megabytes(limit)} MB, scale it down to at most ${allowed} pixels, or raise --max-pixels`,
    );
  }
  return header;
}

/** The reason to reject an image with more than `maxPixels` pixels, or undefined. */
export function tooManyPixels(
  { width, height }: { readonly width: number; readonly height: number },
  maxPixels: number,
): string | undefined {
  if (width * height <= maxPixels) return undefined;
  return `the image has ${width} x ${height} pixels, scale it down to at most ${maxPixels} pixels, or raise --max-pixels`;
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1e6);
}
