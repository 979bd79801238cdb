// Conversion of tensors' elements between float types, little-endian as in files.

import type { DType } from "./tensor.ts";

/** The float types. */
export const FLOAT_TYPES = ["F64", "F32", "F16", "BF16"] as const satisfies readonly DType[];

/** A float type. */
export type FloatType = typeof FLOAT_TYPES[number];

/** Tells whether a type is a float type. */
export function isFloatType(dtype: DType): dtype is FloatType {
  return FLOAT_TYPES.some((float) => float === dtype);
}

/**
 * Converts elements to another float type, rounded to nearest, ties to even. Values beyond a type's range become infinite.
 *
 * @returns New bytes, or the same if the types are equal.
 */
export function convertFloats(bytes: Uint8Array<ArrayBuffer>, from: FloatType, to: FloatType): Uint8Array<ArrayBuffer> {
  if (from === to) return bytes;
  const values = decode(bytes, from);
  switch (to) {
    case "F64":
      return new Uint8Array(Float64Array.from(values).buffer);
    case "F32":
      return new Uint8Array(Float32Array.from(values).buffer);
    case "F16":
      return new Uint8Array(Float16Array.from(values).buffer);
    case "BF16":
      return encodeBfloat16(Float32Array.from(values));
  }
}

function decode(bytes: Uint8Array<ArrayBuffer>, from: FloatType): Float64Array | Float32Array | Float16Array {
  // A view needs an offset that is a multiple of its elements' size.
  const { buffer } = bytes.byteOffset === 0 ? bytes : bytes.slice();
  const length = bytes.byteLength;
  switch (from) {
    case "F64":
      return new Float64Array(buffer, 0, length / 8);
    case "F32":
      return new Float32Array(buffer, 0, length / 4);
    case "F16":
      return new Float16Array(buffer, 0, length / 2);
    case "BF16":
      // The upper half of a float32.
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer, 0, length / 2), (half) => half << 16).buffer);
  }
}

function encodeBfloat16(values: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const halves = Uint16Array.from(new Uint32Array(values.buffer), (bits, index) => {
    if (Number.isNaN(values[index])) return 0x7fc0;
    // The lower half rounds: more than a half goes up, a half goes to the even number.
    return (bits + 0x7fff + (bits >>> 16 & 1)) >>> 16;
  });
  return new Uint8Array(halves.buffer);
}
