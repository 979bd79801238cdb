/**
 * Pictures that resize.py computes too, and the pixels that its samples hold.
 *
 * @module
 */

import type { RgbImage } from "../../src/images/rgb_image.ts";

/**
 * Two slow waves and a fast pattern a channel, mixed 1 : 1 : 2, all in integers.
 *
 * @param width Pixels in a row.
 * @param height Rows.
 */
export function drawnImage(width: number, height: number): RgbImage {
  const pixels = new Uint8Array(width * height * 3);
  let next = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        const slow = wave(3 * x + 85 * channel) + wave(2 * y + 40 * channel);
        const fast = (37 * x + 91 * y + (channel + 1) * x * y) & 255;
        pixels[next++] = (slow + 2 * fast) >> 2;
      }
    }
  }
  return { width, height, pixels };
}

/**
 * Of N pixels, pixel floor((2 k + 1) N / (2 n)) for k from 0 to n - 1.
 *
 * @param pixels R, G, B of each pixel.
 * @param count How many pixels to take, n.
 * @returns R, G, B of each pixel taken.
 */
export function samplePixels(pixels: Uint8Array, count: number): Uint8Array {
  const total = pixels.length / 3;
  const sample = new Uint8Array(count * 3);
  for (let k = 0; k < count; k++) {
    const start = Math.floor((2 * k + 1) * total / (2 * count)) * 3;
    sample.set(pixels.subarray(start, start + 3), k * 3);
  }
  return sample;
}

function wave(position: number): number {
  return Math.abs((position & 511) - 255) & 255;
}
