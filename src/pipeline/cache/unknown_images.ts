import { tooManyPixels } from "../../images/image_limits.ts";
import type { ImageFile } from "../../images/image_file.ts";
import type { CacheIndex } from "./cache_index.ts";
import type { ResizedFile } from "./resized_file.ts";

/** Tells whether an image must be decoded, by its digest. */
export type Unknown = (content: string) => boolean;

/** A resized image. */
export interface ResizedImage {
  readonly pixels: Uint8Array;
  /** Width of the original image in pixels. */
  readonly width: number;
  /** Height of the original image in pixels. */
  readonly height: number;
}

/** Decodes and resizes an image file; throws an {@linkcode ImageError} if it cannot be used. */
export type ResizeImage = (file: ImageFile) => Promise<ResizedImage>;

export interface UnknownImagesOptions {
  readonly index: CacheIndex;
  readonly resized: ResizedFile | undefined;
  /** Images must be stored. */
  readonly store: boolean;
  /** The pixel limit. */
  readonly maxPixels: number;
}

/**
 * An image is known if it is stored (or decodable, without storing), exceeds the pixel limit, or cannot be used. An
 * unusable image is tried again if the pixel limit was raised, and each time if its decoder crashed or took too long:
 * the machine may have more memory or time another day.
 */
export function unknownImages({ index, resized, store, maxPixels }: UnknownImagesOptions): Unknown {
  return (content) => {
    const image = index.image(content);
    if (image !== undefined) return store && tooManyPixels(image, maxPixels) === undefined && !resized?.reaches(image);
    const bad = index.bad(content);
    return bad === undefined || bad.kind === "decoder" || maxPixels > bad.maxPixels;
  };
}
