/**
 * From the bytes of an image that may be decoded to its pixels.
 *
 * @module
 */

import type { DecodeImageOptions, RgbImage } from "./rgb_image.ts";
import type { ImageHeader } from "./image_header.ts";

/** Options of {@linkcode decodeChecked}. */
export interface DecodeCheckedOptions extends Pick<DecodeImageOptions, "applyExif"> {
  /**
   * Gives the file's bytes up as soon as the decoder has them: called at most once.
   *
   * @default {undefined}
   */
  release?: () => void;
}

/**
 * Decodes an image.
 *
 * @param bytes The whole file.
 * @param header What {@linkcode checkImage} returned for it.
 * @param options See {@linkcode DecodeCheckedOptions}.
 * @returns The picture.
 * @throws {ImageError} If the file is cut or damaged.
 */
export async function decodeChecked(
  bytes: Uint8Array,
  header: ImageHeader,
  options: DecodeCheckedOptions = {},
): Promise<RgbImage> {
  const { applyExif = true, release } = options;
  const turned: ImageHeader = applyExif ? header : { ...header, orientation: 1 };
  // Imported here so that whoever imports this module loads no decoder before it is needed.
  const pixels = turned.kind === "jpeg"
    ? (await import("./decode_jpeg.ts")).decodeJpeg(bytes, turned, release)
    : (await import("./decode_png.ts")).decodePng(bytes, turned);
  const { width, height } = header;
  return turned.orientation > 4 ? { width: height, height: width, pixels } : { width, height, pixels };
}
