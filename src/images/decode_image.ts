/**
 * From the bytes of a JPEG or PNG file to its pixels.
 *
 * @module
 */

import { checkImage } from "./check_image.ts";
import { decodeChecked } from "./decode_checked.ts";

import type { DecodeImageOptions, RgbImage } from "./rgb_image.ts";

/**
 * Decodes a JPEG (baseline or progressive; gray, RGB, CMYK, YCCK) or PNG (of any kind; transparent ones are laid over
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
