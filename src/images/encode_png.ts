import { encode } from "imagescript/png/src/png.mjs";
import type { RgbImage } from "./rgb_image.ts";

/** Of 9: a heat map takes milliseconds, and is hardly larger than at the highest. */
const LEVEL = 3;

/** Encodes an image as a PNG. */
export function encodePng(
  { width, height, pixels }: Pick<RgbImage, "width" | "height"> & { readonly pixels: Uint8Array },
): Uint8Array<ArrayBuffer> {
  return encode(pixels, { width, height, channels: 3, level: LEVEL });
}
