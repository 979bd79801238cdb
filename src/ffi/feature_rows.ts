import type { Features } from "./batch.ts";

/** Concatenates features, all of the same size. */
export function concatenateFeatures(parts: readonly Features[]): Features {
  const values = new Float32Array(parts.reduce((length, part) => length + part.values.length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part.values, at);
    at += part.values.length;
  }
  return { count: parts.reduce((count, part) => count + part.count, 0), values };
}

/** Selects the features of some images, in the order of `indices`. */
export function selectFeatures({ count, values }: Features, indices: readonly number[]): Features {
  const size = values.length / count;
  const chosen = new Float32Array(indices.length * size);
  for (const [at, index] of indices.entries()) {
    chosen.set(values.subarray(index * size, (index + 1) * size), at * size);
  }
  return { count: indices.length, values: chosen };
}
