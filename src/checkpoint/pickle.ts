// Pickles a PyTorch state_dict: an OrderedDict from names to tensors whose elements are stored separately.

import type { DType, TensorSource } from "./tensor.ts";

/** PyTorch's storage classes in module `torch`. */
export const STORAGE_CLASSES: Readonly<Partial<Record<DType, string>>> = {
  F64: "DoubleStorage",
  F32: "FloatStorage",
  F16: "HalfStorage",
  BF16: "BFloat16Storage",
  I64: "LongStorage",
  U8: "ByteStorage",
  I8: "CharStorage",
  I16: "ShortStorage",
  I32: "IntStorage",
  BOOL: "BoolStorage",
};

// Opcodes of protocol 2, named as in Python's pickletools.
const PROTO = 0x80, GLOBAL = 0x63, MARK = 0x28, STOP = 0x2e, REDUCE = 0x52, BINPERSID = 0x51;
const EMPTY_TUPLE = 0x29, TUPLE = 0x74, SETITEMS = 0x75, NEWFALSE = 0x89, BINUNICODE = 0x58;
const BININT1 = 0x4b, BININT2 = 0x4d, BININT = 0x4a, LONG1 = 0x8a;

/**
 * Pickles a state_dict for `torch.load(weights_only=True)`, protocol 2, as the content of `data.pkl`. The elements of
 * tensor i are in the storage named `i`.
 */
export function pickleStateDict(tensors: readonly TensorSource[]): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [PROTO, 2, ...emptyOrderedDict(), MARK];
  for (const [index, tensor] of tensors.entries()) bytes.push(...text(tensor.name), ...rebuiltTensor(tensor, index));
  bytes.push(SETITEMS, STOP);
  return new Uint8Array(bytes);
}

function rebuiltTensor({ name, dtype, shape }: TensorSource, index: number): number[] {
  const storageClass = STORAGE_CLASSES[dtype];
  if (storageClass === undefined) {
    throw new TypeError(`Cannot write tensor '${name}': PyTorch has no storage of ${dtype}`);
  }
  const elements = shape.reduce((product, size) => product * size, 1);
  return [
    ...global("torch._utils", "_rebuild_tensor_v2"),
    MARK,
    MARK,
    ...text("storage"),
    ...global("torch", storageClass),
    ...text(`${index}`),
    ...text("cpu"),
    ...integer(elements),
    TUPLE,
    BINPERSID,
    ...integer(0),
    ...tuple(shape),
    ...tuple(contiguousStrides(shape)),
    NEWFALSE,
    ...emptyOrderedDict(),
    TUPLE,
    REDUCE,
  ];
}

/** Strides of a contiguous tensor, in elements. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (const size of shape.toReversed()) {
    strides.unshift(stride);
    stride *= Math.max(size, 1);
  }
  return strides;
}

function emptyOrderedDict(): number[] {
  return [...global("collections", "OrderedDict"), EMPTY_TUPLE, REDUCE];
}

function global(module: string, name: string): number[] {
  return [GLOBAL, ...new TextEncoder().encode(`${module}\n${name}\n`)];
}

function text(value: string): number[] {
  const bytes = new TextEncoder().encode(value);
  return [BINUNICODE, ...littleEndian(bytes.byteLength, 4), ...bytes];
}

function tuple(values: readonly number[]): number[] {
  return [MARK, ...values.flatMap(integer), TUPLE];
}

function integer(value: number): number[] {
  if (value < 0x100) return [BININT1, value];
  if (value < 0x1_0000) return [BININT2, ...littleEndian(value, 2)];
  if (value < 0x8000_0000) return [BININT, ...littleEndian(value, 4)];
  // Two's complement: the eighth byte of an exact integer is 0, so it reads as positive.
  return [LONG1, 8, ...littleEndian(value, 8)];
}

function littleEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, index) => Math.floor(value / 256 ** index) % 256);
}
