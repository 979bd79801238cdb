/**
 * Refusing images before they are decoded.
 *
 * @module
 */

import type { DecodeImageOptions } from "./rgb_image.ts";
import { decodingMemory } from "./decoding_memory.ts";
import { ImageError } from "./image_error.ts";
import { type ImageHeader, readImageHeader } from "./image_header.ts";

/** The most pixels of an image where nothing else is said. */
export const DEFAULT_MAX_PIXELS = 50e6;
/** The most that one side may exceed the other: a strip's long side would be scaled up without limit. */
const MAX_ASPECT = 64;
/**
 * Memory for each pixel that is allowed, in bytes: enough for 50 megapixels of a baseline JPEG with 4:2:0 colors, and with
 * what the runtime adds for its Workers 500 MB in all.
 */
const MEMORY_PER_PIXEL = 8;

/**
 * Reads an image's header and refuses what is too large or too elongated.
 *
 * @param bytes The whole file.
 * @param options See {@linkcode DecodeImageOptions}.
 * @returns The header.
 * @throws {ImageError} If the file is no JPEG or PNG, or must not be decoded.
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
    const variety = kind === "jpeg" && header.progressive ? "progressive " : "";
    const allowed = Math.floor(width * height * limit / memory);
    throw new ImageError(
      `the ${variety}${kind.toUpperCase()} has ${shape} and takes ${megabytes(memory)} MB to decode, more than ` +
        `${megabytes(limit)} MB, scale it down to at most ${allowed} in all, or raise --max-pixels`,
    );
  }
  return header;
}

/**
 * Says that an image has too many pixels.
 *
 * @param image Its width and height.
 * @param maxPixels The most that it may have.
 * @returns What is wrong, and what to do; undefined if nothing is.
 */
export function tooManyPixels(
  { width, height }: { readonly width: number; readonly height: number },
  maxPixels: number,
): string | undefined {
  if (width * height <= maxPixels) return undefined;
  return `the image has ${width} x ${height} pixels, scale it down to at most ${maxPixels} in all, or raise --max-pixels`;
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1e6);
}
