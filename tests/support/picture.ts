// Images to send.

import { encode } from "fast-png";

/** A gray PNG. */
export function picture(width = 8, height = 6): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(width * height * 3).fill(128);
  return new Uint8Array(encode({ width, height, data, channels: 3, depth: 8 }));
}
