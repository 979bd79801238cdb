/**
 * A tensor as a pickle describes it: a view of a storage.
 *
 * @module
 */

import { contiguousStrides } from "./pickle.ts";
import { byteCount, type DType, DTYPE_BYTES } from "./tensor.ts";

/** Where a pickled tensor's elements lie. */
export class PickledStorage {
  /**
   * Describes a storage.
   *
   * @param key The storage's name in the file.
   * @param dtype Its elements' type.
   * @param elements How many there are.
   */
  constructor(readonly key: string, readonly dtype: DType, readonly elements: number) {}
}

/** A pickled tensor: a view of a storage. */
export class PickledTensor {
  /**
   * Describes a view.
   *
   * @param storage Its elements.
   * @param offset The first one's index.
   * @param shape Sizes of the dimensions.
   * @param strides Elements between neighbors of each dimension.
   */
  constructor(
    readonly storage: PickledStorage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/**
 * Holds a tensor against its storage.
 *
 * @param tensor The view.
 * @returns Whether each of its elements lies inside the storage, and its bytes can be counted.
 */
export function isInsideStorage(tensor: PickledTensor): boolean {
  const { storage, offset, shape, strides } = tensor;
  const bytes = byteCount({ dtype: storage.dtype, shape });
  if (bytes === undefined) return false;
  const last = shape.reduce((index, size, dimension) => index + (size - 1) * (strides[dimension] ?? 0), offset);
  return bytes === 0 || last < storage.elements;
}

/**
 * Finds the part of its storage that a tensor reaches.
 *
 * @param tensor The view; it must be {@linkcode isInsideStorage}.
 * @returns The first byte, and the one after the last.
 */
export function byteSpan(tensor: PickledTensor): { begin: number; end: number } {
  const { storage: { dtype }, offset, shape, strides } = tensor;
  const width = DTYPE_BYTES[dtype];
  if (shape.includes(0)) return { begin: 0, end: 0 };
  const last = shape.reduce((index, size, dimension) => index + (size - 1) * (strides[dimension] ?? 0), offset);
  return { begin: offset * width, end: (last + 1) * width };
}

/**
 * Puts a tensor's elements into contiguous rows.
 *
 * @param tensor The view; it must be {@linkcode isInsideStorage}.
 * @param span The bytes of its {@linkcode byteSpan}.
 * @returns The elements; the very bytes given where they are contiguous already.
 */
export function contiguousBytes(tensor: PickledTensor, span: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { shape, strides } = tensor;
  const width = DTYPE_BYTES[tensor.storage.dtype];
  const bytes = byteCount({ dtype: tensor.storage.dtype, shape }) ?? 0;
  const expected = contiguousStrides(shape);
  if (bytes === 0 || shape.every((size, dimension) => size === 1 || strides[dimension] === expected[dimension])) {
    return span;
  }
  const result = new Uint8Array(bytes);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < bytes; to += width) {
    for (let byte = 0; byte < width; byte++) result[to + byte] = span[from * width + byte] ?? 0;
    // Counts up like an odometer: the last dimension first, the ones before it when it wraps.
    for (let dimension = shape.length - 1; dimension >= 0; dimension--) {
      const stride = strides[dimension] ?? 0;
      const next = (index[dimension] ?? 0) + 1;
      from += stride;
      index[dimension] = next;
      if (next < (shape[dimension] ?? 0)) break;
      from -= next * stride;
      index[dimension] = 0;
    }
  }
  return result;
}
