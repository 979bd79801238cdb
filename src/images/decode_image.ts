import { checkImage } from "./check_image.ts";
import { decodeChecked } from "./decode_checked.ts";

import type { DecodeImageOptions, RgbImage } from "./rgb_image.ts";

/**
 * Decodes a JPEG (baseline or progressive; gray, RGB, CMYK, YCCK) or PNG (any kind; transparency is blended over white,
 * 16-bit samples keep their upper byte). Width and height are those after applying the EXIF orientation.
 *
 * @throws {ImageError} If the file is not a JPEG or PNG, is truncated or damaged, or is too large or too elongated.
 *
 * @example Size of an image
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
