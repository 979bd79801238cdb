/**
 * Which images a cache has nothing to say about, so that they must be decoded.
 *
 * @module
 */

import { tooManyPixels } from "../../images/check_image.ts";
import type { ImageFile } from "../../images/image_file.ts";
import type { CacheIndex } from "./cache_index.ts";
import type { ResizedFile } from "./resized_file.ts";

/** Tells whether an image must be decoded, by its digest. */
export type Unknown = (content: string) => boolean;

/** The square of an image. */
export interface Square {
  /** Its pixels. */
  readonly pixels: Uint8Array;
  /** The whole image's pixels in a row. */
  readonly width: number;
  /** The whole image's rows. */
  readonly height: number;
}

/** Makes the square of an image file; throws an {@linkcode ImageError} where it cannot be used. */
export type ResizeImage = (file: ImageFile) => Promise<Square>;

/** Options of {@linkcode unknownImages}. */
export interface UnknownImagesOptions {
  /** What the cache holds. */
  readonly index: CacheIndex;
  /** Its squares, if there are any. */
  readonly resized: ResizedFile | undefined;
  /** Whether an image that is not stored shall be. */
  readonly store: boolean;
  /** The limit of pixels. */
  readonly maxPixels: number;
}

/**
 * An image is known if it is stored (or can be decoded, where none is stored), has more pixels than now allowed, or cannot
 * be used. Such a one is tried again when the limit of pixels has been raised, and one whose decoder died or took too long
 * each time: another day the machine may have more memory or time.
 *
 * @param options See {@linkcode UnknownImagesOptions}.
 * @returns Tells of an image whether it is unknown.
 */
export function unknownImages({ index, resized, store, maxPixels }: UnknownImagesOptions): Unknown {
  return (content) => {
    const image = index.image(content);
    if (image !== undefined) return store && tooManyPixels(image, maxPixels) === undefined && !resized?.reaches(image);
    const bad = index.bad(content);
    return bad === undefined || bad.kind === "decoder" || maxPixels > bad.maxPixels;
  };
}
