/**
 * Image files to pixels: JPEG, PNG, WebP, GIF, TIFF, AVIF and HEIC. Needs no native library.
 *
 * @example Decoding an image
 * ```ts
 * import assert from "node:assert/strict";
 * import { decodeImage } from "@lrcn/lrcn/images";
 *
 * const { width, height, pixels } = await decodeImage(await Deno.readFile("docs/example/scenes/Images/item-001.png"));
 * assert.equal(pixels.length, width * height * 3);
 * ```
 *
 * @module
 */

export { decodeImage } from "./decode_image.ts";
export { ImageError } from "./image_error.ts";
export type { ImageDecoding } from "./preprocessing.ts";
export type { Alpha, DecodeImageOptions, RgbImage } from "./rgb_image.ts";
export { InputError, type InputErrorCode, type InputErrorOptions } from "../input_error.ts";
