/**
 * From the bytes of a JPEG or PNG file to its pixels.
 *
 * @module
 */

import { checkImage } from "./check_image.ts";
import { decodeChecked } from "./decode_checked.ts";

/** A picture of 8-bit colours. */
export interface RgbImage {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** R, G, B of each pixel, row by row from the top: height x width x 3. */
  readonly pixels: Uint8Array<ArrayBuffer>;
}

/** Options of {@linkcode decodeImage}. */
export interface DecodeImageOptions {
  /**
   * The most pixels that an image may declare; one with more is refused before anything is decoded, and so is one that
   * takes more than 8 bytes for each of these to decode (400 MB by default, and never less).
   *
   * @default {50e6}
   */
  maxPixels?: number;
  /**
   * Whether the picture is turned as its EXIF data say.
   *
   * @default {"obeyed"}
   */
  orientation?: "obeyed" | "ignored";
}

/**
 * Decodes a JPEG (baseline or progressive; grey, RGB, CMYK, YCCK) or PNG (of any kind; transparent ones are laid over
 * white, and of 16-bit samples the upper byte counts).
 *
 * @param bytes The whole file.
 * @param options See {@linkcode DecodeImageOptions}.
 * @returns The picture, with the width and height that it has after it is turned.
 * @throws {ImageError} If the file is no JPEG or PNG, is cut or damaged, or is too large or too elongated.
 *
 * @example Size of a picture
 * ```ts
 * import assert from "node:assert/strict";
 * import { decodeImage } from "@lrcn/lrcn";
 *
 * const { width, height, pixels } = await decodeImage(await Deno.readFile("docs/example/scenes/Images/item-000.png"));
 * assert.deepEqual([width, height, pixels.length], [48, 48, 48 * 48 * 3]);
 * ```
 */
export async function decodeImage(bytes: Uint8Array, options: DecodeImageOptions = {}): Promise<RgbImage> {
  return await decodeChecked(bytes, checkImage(bytes, options), options);
}
