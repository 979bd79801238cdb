/**
 * What the CNN saw, taken apart and put together.
 *
 * @module
 */

import type { Features } from "./batch.ts";

/**
 * Puts features together.
 *
 * @param parts Features of some images each, all of the same length.
 * @returns Those of all images, in their order.
 */
export function concatenateFeatures(parts: readonly Features[]): Features {
  const values = new Float32Array(parts.reduce((length, part) => length + part.values.length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part.values, at);
    at += part.values.length;
  }
  return { count: parts.reduce((count, part) => count + part.count, 0), values };
}

/**
 * Takes the features of some images.
 *
 * @param features Features of all.
 * @param indices Which, in the order in which they are wanted.
 * @returns Theirs.
 */
export function selectFeatures({ count, values }: Features, indices: readonly number[]): Features {
  const size = values.length / count;
  const chosen = new Float32Array(indices.length * size);
  for (const [place, index] of indices.entries()) {
    chosen.set(values.subarray(index * size, (index + 1) * size), place * size);
  }
  return { count: indices.length, values: chosen };
}
