// Images to send.

import { encodePng } from "../../src/images/encode_png.ts";

/** A gray PNG. */
export function picture(width = 8, height = 6): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(width * height * 3).fill(128);
  return encodePng({ width, height, pixels: data });
}
