// The safetensors format: a JSON header with each tensor's type, shape and range, then the elements. Files are treated
// as hostile: the header must agree with the file's size.

import { quoted } from "../printable.ts";
import { findJsonFault } from "../files/json_keys.ts";
import { cannotRead, openFile, type RandomAccessFile } from "../files/open_file.ts";
import {
  byteCount,
  checkedByteCounts,
  type DType,
  DTYPE_BYTES,
  isDType,
  readChecked,
  type StoredTensor,
  type TensorLayout,
  type TensorSource,
} from "./tensor.ts";
import { writeAtomic, type WriteAtomicOptions } from "../files/write_atomic.ts";

const METADATA = "__metadata__";
// By decreasing size, like the format's own writer: every tensor then begins at a multiple of its element size.
const WRITING_ORDER: readonly DType[] = "C64 U64 I64 F64 U32 I32 F32 U16 I16 BF16 F16 I8 U8 F8_E5M2 F8_E4M3 BOOL"
  .split(" ").filter(isDType);
const LENGTH_BYTES = 8;
const MAX_HEADER_BYTES = 100_000_000;
// Nesting is header > tensor > shape or data_offsets; a tensor has seven parts.
const HEADER_LIMITS = { depth: 3, parts: 1_000_000 };
// PyTorch's own limit.
const MAX_DIMENSIONS = 64;

export interface SafetensorsContent {
  /** Free texts stored with the tensors. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The tensors; one is in memory at a time. */
  readonly tensors: Iterable<TensorSource>;
}

/** An open safetensors file: close it with `using`. */
export interface SafetensorsFile extends Disposable {
  /** Free texts stored with the tensors. The object has no prototype. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The tensors by name, in file order. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Writes a safetensors file atomically. The same content gives the same bytes in any order: tensors are sorted by type,
 * large elements first, then by name.
 *
 * @throws {InputError} If the file cannot be written.
 * @throws {TypeError} If two tensors have the same name, or one has the reserved name `__metadata__`.
 * @throws {RangeError} If a tensor's bytes do not match its shape.
 */
export async function writeSafetensors(
  path: string,
  content: SafetensorsContent,
  options: Omit<WriteAtomicOptions, "size"> = {},
): Promise<void> {
  const tensors = [...content.tensors].sort((a, b) =>
    WRITING_ORDER.indexOf(a.dtype) - WRITING_ORDER.indexOf(b.dtype) || compare(a.name, b.name)
  );
  const sizes = checkedByteCounts(tensors);
  // The JSON is built from pieces, so that any name is safe, even "__proto__".
  const entries: string[] = [];
  const metadata = Object.entries(content.metadata).sort(([a], [b]) => compare(a, b));
  if (metadata.length > 0) {
    entries.push(
      `"${METADATA}":{${metadata.map((pair) => pair.map((text) => JSON.stringify(text)).join(":")).join(",")}}`,
    );
  }
  let offset = 0;
  for (const [index, { name, dtype, shape }] of tensors.entries()) {
    if (name === METADATA) throw new TypeError(`Cannot write tensors: the name '${METADATA}' is reserved`);
    const end = offset + (sizes[index] ?? 0);
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, end] })}`);
    offset = end;
  }
  const json = new TextEncoder().encode(`{${entries.join(",")}}`);
  const headerBytes = Math.ceil(json.byteLength / LENGTH_BYTES) * LENGTH_BYTES;
  if (headerBytes > MAX_HEADER_BYTES) {
    throw new RangeError(`Cannot write '${path}': its header would take ${headerBytes} bytes of ${MAX_HEADER_BYTES}`);
  }
  const header = new Uint8Array(LENGTH_BYTES + headerBytes).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(headerBytes), true);
  header.set(json, LENGTH_BYTES);

  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield header;
    for (const [index, tensor] of tensors.entries()) yield await readChecked(tensor, sizes[index] ?? 0);
  }
  await writeAtomic(path, chunks(), { ...options, size: header.byteLength + offset });
}

/**
 * Opens a safetensors file. The whole header is validated; elements are read on demand.
 *
 * @throws {InputError} If the file cannot be read, or is not a valid safetensors file.
 */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  using opened = new DisposableStack();
  const header = await readHeader(path, opened.use(await openFile(path)));
  const owner = opened.move();
  return { ...header, [Symbol.dispose]: () => owner.dispose() };
}

/**
 * Reads the header of an open safetensors file, which must stay open as long as elements are read.
 *
 * @throws {InputError} As {@linkcode readSafetensors} does.
 */
export async function readHeader(
  path: string,
  file: RandomAccessFile,
): Promise<Omit<SafetensorsFile, keyof Disposable>> {
  if (file.size < LENGTH_BYTES) throw cannotRead(path, `it is not a safetensors file, it has only ${file.size} bytes`);
  const length = new DataView((await file.read(0, LENGTH_BYTES)).buffer).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES || Number(length) > file.size - LENGTH_BYTES) {
    throw cannotRead(path, "it is cut off or not a safetensors file, its header would be longer than it can be");
  }
  const dataStart = LENGTH_BYTES + Number(length);
  const header = parseHeader(path, await file.read(LENGTH_BYTES, Number(length)));
  let metadata: Record<string, string> = Object.create(null);
  const ranges: { name: string; layout: TensorLayout; begin: number; end: number }[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === METADATA) metadata = checkedMetadata(path, entry);
    else ranges.push({ name, ...checkedEntry(path, name, entry) });
  }
  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let reached = 0;
  for (const { name, begin, end } of ranges) {
    if (begin !== reached) {
      const fault = begin > reached ? "leaves a gap before it" : "overlaps the one before it";
      throw cannotRead(path, `the tensor ${quoted(name)} ${fault}`);
    }
    reached = end;
  }
  const data = file.size - dataStart;
  if (reached !== data) throw cannotRead(path, `its tensors take ${reached} bytes, but it has ${data}`);

  const tensors = new Map<string, StoredTensor>();
  for (const { name, layout, begin, end } of ranges) {
    tensors.set(name, { ...layout, read: () => file.read(dataStart + begin, end - begin) });
  }
  return { metadata, tensors };
}

function parseHeader(path: string, bytes: Uint8Array<ArrayBuffer>): Record<string, unknown> {
  const text = decoded(path, bytes);
  const fault = findJsonFault(text, HEADER_LIMITS);
  if (fault !== undefined) throw cannotRead(path, `its header is wrong, ${fault}`);
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    throw cannotRead(path, "it is not a safetensors file, its header is not JSON", error);
  }
  if (!text.startsWith("{") || !isObject(header)) throw cannotRead(path, "its header is not a JSON object");
  return header;
}

function decoded(path: string, bytes: Uint8Array<ArrayBuffer>): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw cannotRead(path, "it is not a safetensors file, its header is not UTF-8", error);
  }
}

function checkedMetadata(path: string, entry: unknown): Record<string, string> {
  if (!isObject(entry)) throw cannotRead(path, `'${METADATA}' in its header is not an object`);
  const metadata: Record<string, string> = Object.create(null);
  for (const [key, value] of Object.entries(entry)) {
    if (typeof value !== "string") throw cannotRead(path, `the metadata ${quoted(key)} is not a string`);
    metadata[key] = value;
  }
  return metadata;
}

function checkedEntry(
  path: string,
  name: string,
  entry: unknown,
): { layout: TensorLayout; begin: number; end: number } {
  const where = `the tensor ${quoted(name)}`;
  if (!isObject(entry)) throw cannotRead(path, `${where} is not described by an object`);
  const { dtype, shape, data_offsets: range } = entry;
  if (!isDType(dtype)) {
    const type = typeof dtype === "string" ? `the type ${quoted(dtype)}` : "a type that is not a string";
    throw cannotRead(path, `${where} has ${type}, supported are ${Object.keys(DTYPE_BYTES).join(", ")}`);
  }
  if (!isCounts(shape)) throw cannotRead(path, `the shape of ${where} is not a list of sizes`);
  if (shape.length > MAX_DIMENSIONS) throw cannotRead(path, `${where} has more than ${MAX_DIMENSIONS} dimensions`);
  const bytes = byteCount({ dtype, shape });
  if (bytes === undefined) throw cannotRead(path, `${where} is larger than any file`);
  if (!isCounts(range) || range.length !== 2) throw cannotRead(path, `the range of ${where} is not two offsets`);
  const [begin = 0, end = 0] = range;
  if (end - begin !== bytes) {
    throw cannotRead(path, `${where} needs ${bytes} bytes, but its range is ${begin} to ${end}`);
  }
  return { layout: { dtype, shape }, begin, end };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// Not localeCompare: the bytes must not depend on the machine's locale.
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
