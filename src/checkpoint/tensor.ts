/**
 * Tensors as checkpoints hold them: a name, a type, a shape and little-endian bytes.
 *
 * @module
 */

/** The element types that checkpoints may hold, by the names that safetensors gives them. */
export type DType = "F64" | "F32" | "F16" | "BF16" | "I64" | "U8";

/** Bytes of one element of each type. */
export const DTYPE_BYTES: Readonly<Record<DType, number>> = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, U8: 1 };

/** What is known of a tensor without its elements. */
export interface TensorLayout {
  /** The elements' type. */
  readonly dtype: DType;
  /** Sizes of the dimensions, outermost first; empty for a scalar. */
  readonly shape: readonly number[];
}

/** A tensor in memory: contiguous rows, little-endian. */
export interface Tensor extends TensorLayout {
  /** The parameter's or buffer's name, for example `resnet.conv1.weight`. */
  readonly name: string;
  /** The elements. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A tensor whose elements are read when they are wanted, so that one of them is in memory at a time. */
export interface StoredTensor extends TensorLayout {
  /**
   * Reads the elements: contiguous rows, little-endian.
   *
   * @throws {InputError} The file no longer holds them.
   */
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

/** A tensor to be written: its layout first, its elements when their turn comes. */
export interface TensorSource extends TensorLayout {
  /** The name under which it is written. */
  readonly name: string;
  /** Gives the elements: contiguous rows, little-endian. */
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Tells whether a word is the name of an element type.
 *
 * @param value Anything, for example a word out of a stranger's file.
 * @returns Whether it is a {@linkcode DType}.
 */
export function isDType(value: unknown): value is DType {
  return typeof value === "string" && Object.hasOwn(DTYPE_BYTES, value);
}

/**
 * Bytes of a tensor.
 *
 * @param layout Its type and shape.
 * @returns The count, or undefined where a size is no count or the product leaves the exact integers.
 */
export function byteCount(layout: TensorLayout): number | undefined {
  let count = DTYPE_BYTES[layout.dtype];
  for (const size of layout.shape) {
    if (!Number.isSafeInteger(size) || size < 0) return undefined;
    count *= size;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

/**
 * The names of all tensors to be written, checked: programs that write tensors twice or of impossible sizes are wrong.
 *
 * @param tensors What is to be written.
 * @returns Bytes of each tensor, in the same order.
 * @throws {TypeError} A name stands twice.
 * @throws {RangeError} A shape is impossible.
 */
export function checkedByteCounts(tensors: readonly TensorSource[]): number[] {
  const names = new Set<string>();
  return tensors.map((tensor) => {
    if (names.has(tensor.name)) throw new TypeError(`Cannot write tensors: '${tensor.name}' stands twice`);
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
 * Reads a source and holds it to its layout.
 *
 * @param tensor What is read.
 * @param bytes The bytes its layout asks for.
 * @returns The elements.
 * @throws {RangeError} It gave more or fewer bytes.
 */
export async function readChecked(tensor: TensorSource, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const elements = await tensor.read();
  if (elements.byteLength !== bytes) {
    throw new RangeError(
      `Cannot write tensor '${tensor.name}': ${elements.byteLength} bytes were given where its shape needs ${bytes}`,
    );
  }
  return elements;
}
