import type { ImageHeader } from "./image_header.ts";

/** Garbage left by inflating a PNG: measured at most this many bytes. */
const INFLATED = 60e6;

/** The peak memory of decoding in bytes, with one copy of the file and the decoded image. */
export function decodingMemory(header: ImageHeader, fileBytes: number): number {
  const pixels = header.width * header.height;
  if (header.kind === "png") {
    return fileBytes + 3 * pixels + Math.min(INFLATED, pixels * header.components * header.depth / 8);
  }
  // The decoder holds each component's samples (16-bit coefficients if progressive) and its result, which for gray
  // images is the samples.
  const { components, samples, progressive } = header;
  const result = components === 1 ? 0 : components * pixels;
  return fileBytes + samples * (progressive ? 3 : 1) + result + 3 * pixels;
}
