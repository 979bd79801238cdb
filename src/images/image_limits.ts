import { ImageError } from "./image_error.ts";

/** The default limit on an image's pixels. */
export const DEFAULT_MAX_PIXELS = 50e6;
/** The maximum aspect ratio: resizing the short side would scale a strip's long side up without limit. */
const MAX_ASPECT = 64;
/** Bytes of memory per allowed pixel: enough for 50 megapixels of a JPEG, and 500 MB in all with the Workers' own. */
const MEMORY_PER_PIXEL = 8;

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/**
 * Rejects images that are too large or too elongated.
 *
 * @throws {ImageError} If the image is.
 */
export function checkSize({ width, height }: ImageSize, maxPixels: number = DEFAULT_MAX_PIXELS): void {
  const tooMany = tooManyPixels({ width, height }, maxPixels);
  if (tooMany !== undefined) throw new ImageError(tooMany);
  if (Math.max(width, height) <= MAX_ASPECT * Math.min(width, height)) return;
  throw new ImageError(
    `the image has ${width} x ${height} pixels, crop it to at most ${MAX_ASPECT} times its short side`,
  );
}

/**
 * Rejects images that take too much memory.
 *
 * @param memory Bytes needed to decode it.
 * @throws {ImageError} If the image does.
 */
export function checkMemory(
  { kind, width, height }: ImageSize & { readonly kind: string },
  memory: number,
  maxPixels: number = DEFAULT_MAX_PIXELS,
): void {
  const limit = MEMORY_PER_PIXEL * Math.max(maxPixels, DEFAULT_MAX_PIXELS);
  if (memory <= limit) return;
  const allowed = Math.floor(width * height * limit / memory);
  throw new ImageError(
    `the ${kind} has ${width} x ${height} pixels and takes ${megabytes(memory)} MB to decode, more than ` +
      `${megabytes(limit)} MB, scale it down to at most ${allowed} pixels, or raise --max-pixels`,
  );
}

/** The reason to reject an image with more than `maxPixels` pixels, or undefined. */
export function tooManyPixels({ width, height }: ImageSize, maxPixels: number): string | undefined {
  if (width * height <= maxPixels) return undefined;
  return `the image has ${width} x ${height} pixels, scale it down to at most ${maxPixels} pixels, or raise --max-pixels`;
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1e6);
}
