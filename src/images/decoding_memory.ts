/**
 * What decoding costs.
 *
 * @module
 */

import type { ImageHeader } from "./image_header.ts";

/** What is inflated of a PNG is collected as garbage; measured at most this much, in bytes. */
const INFLATED = 60e6;

/**
 * The memory that decoding takes at most, with one copy of the file and with the picture.
 *
 * @param header The file's header.
 * @param fileBytes The file's size.
 * @returns Bytes.
 */
export function decodingMemory(header: ImageHeader, fileBytes: number): number {
  const pixels = header.width * header.height;
  if (header.kind === "png") {
    return fileBytes + 3 * pixels + Math.min(INFLATED, pixels * header.components * header.depth / 8);
  }
  // The decoder holds each component's samples, of a progressive picture the 16-bit coefficients, and its result (of a
  // gray picture the samples are the result).
  const { components, samples, progressive } = header;
  const result = components === 1 ? 0 : components * pixels;
  return fileBytes + samples * (progressive ? 3 : 1) + result + 3 * pixels;
}
