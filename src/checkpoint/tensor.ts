// Tensors in checkpoints: a name, a type, a shape and little-endian bytes.

/** Bytes per element of each type, by safetensors' names. Weights are floats; the others are listed and left alone. */
export const DTYPE_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
  C64: 8,
} as const;

/** The element types, by safetensors' names. */
export type DType = keyof typeof DTYPE_BYTES;

/** A tensor's type and shape. */
export interface TensorLayout {
  /** The elements' type. */
  readonly dtype: DType;
  /** Sizes of the dimensions, outermost first; empty for a scalar. */
  readonly shape: readonly number[];
}

/** A tensor in memory: contiguous rows, little-endian. */
export interface Tensor extends TensorLayout {
  /** Name of the parameter or buffer, for example `resnet.conv1.weight`. */
  readonly name: string;
  /** The elements. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A tensor whose elements are read on demand, so that only one needs to be in memory. */
export interface StoredTensor extends TensorLayout {
  /**
   * Reads the elements: contiguous rows, little-endian.
   *
   * @throws {InputError} If the file no longer contains them.
   */
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

/** A tensor to write: its layout is known first, its elements are read on demand. */
export interface TensorSource extends TensorLayout {
  /** The name to write. */
  readonly name: string;
  /** Reads the elements: contiguous rows, little-endian. */
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

/** Tells whether any value is a {@linkcode DType}. */
export function isDType(value: unknown): value is DType {
  return typeof value === "string" && Object.hasOwn(DTYPE_BYTES, value);
}

/** The size of a tensor in bytes, or undefined if the shape is invalid or the size is not a safe integer. */
export function byteCount(layout: TensorLayout): number | undefined {
  let count: number = DTYPE_BYTES[layout.dtype];
  for (const size of layout.shape) {
    if (!Number.isSafeInteger(size) || size < 0) return undefined;
    count *= size;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

/**
 * Checks the names and shapes of tensors to write, and returns their sizes in bytes.
 *
 * @throws {TypeError} If a name occurs twice.
 * @throws {RangeError} If a shape is impossible.
 */
export function checkedByteCounts(tensors: readonly TensorSource[]): number[] {
  const names = new Set<string>();
  return tensors.map((tensor) => {
    if (names.has(tensor.name)) throw new TypeError(`Cannot write tensors: '${tensor.name}' occurs twice`);
    names.add(tensor.name);
    const bytes = byteCount(tensor);
    if (bytes === undefined) {
      throw new RangeError(
        `Cannot write tensor '${tensor.name}': its shape [${tensor.shape.join(", ")}] is impossible`,
      );
    }
    return bytes;
  });
}

/**
 * Reads a tensor and checks its size.
 *
 * @throws {RangeError} If the size is not `bytes`.
 */
export async function readChecked(tensor: TensorSource, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const elements = await tensor.read();
  if (elements.byteLength !== bytes) {
    throw new RangeError(
      `Cannot write tensor '${tensor.name}': ${elements.byteLength} bytes were given, but its shape needs ${bytes}`,
    );
  }
  return elements;
}
