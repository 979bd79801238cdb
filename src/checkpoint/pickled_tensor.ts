import { contiguousStrides } from "./pickle.ts";
import { byteCount, type DType, DTYPE_BYTES } from "./tensor.ts";

/** A storage of tensor elements. */
export class PickledStorage {
  /**
   * @param key The storage's name in the file.
   * @param elements Number of elements.
   */
  constructor(readonly key: string, readonly dtype: DType, readonly elements: number) {}
}

/** A pickled tensor: a view of a storage. */
export class PickledTensor {
  /**
   * @param offset Index of the first element.
   * @param strides In elements.
   */
  constructor(
    readonly storage: PickledStorage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** Checks that all elements lie inside the storage and the byte count is exact. */
export function isInsideStorage(tensor: PickledTensor): boolean {
  const { storage, offset, shape, strides } = tensor;
  const bytes = byteCount({ dtype: storage.dtype, shape });
  if (bytes === undefined) return false;
  const last = shape.reduce((index, size, dimension) => index + (size - 1) * (strides[dimension] ?? 0), offset);
  return bytes === 0 || last < storage.elements;
}

/**
 * The byte range of the storage that a tensor covers, end excluded.
 *
 * @param tensor Must satisfy {@linkcode isInsideStorage}.
 */
export function byteSpan(tensor: PickledTensor): { begin: number; end: number } {
  const { storage: { dtype }, offset, shape, strides } = tensor;
  const width = DTYPE_BYTES[dtype];
  if (shape.includes(0)) return { begin: 0, end: 0 };
  const last = shape.reduce((index, size, dimension) => index + (size - 1) * (strides[dimension] ?? 0), offset);
  return { begin: offset * width, end: (last + 1) * width };
}

/**
 * Copies a tensor's elements into contiguous rows; returns `span` itself if they are contiguous already.
 *
 * @param tensor Must satisfy {@linkcode isInsideStorage}.
 * @param span The bytes of its {@linkcode byteSpan}.
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
    // Increments the index like an odometer: the last dimension first, the previous ones when it wraps.
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
