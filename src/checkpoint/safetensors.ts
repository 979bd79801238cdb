/**
 * The safetensors format: a JSON header with each tensor's type, shape and range, then the elements.
 *
 * Files are read as hostile: nothing in the header is believed before it agrees with the file's size.
 *
 * @module
 */

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
// By falling size, as the format's own writer orders them: tensors of any size then begin at a multiple of their elements.
const WRITING_ORDER: readonly DType[] = ["I64", "F64", "F32", "BF16", "F16", "U8"];
const LENGTH_BYTES = 8;
const MAX_HEADER_BYTES = 100_000_000;
// header > tensor > shape or data_offsets; a tensor has seven parts.
const HEADER_LIMITS = { depth: 3, parts: 1_000_000 };
// As many as PyTorch's iterators take.
const MAX_DIMENSIONS = 64;

/** What {@linkcode writeSafetensors} writes. */
export interface SafetensorsContent {
  /** Free words beside the tensors. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The tensors, read one at a time. */
  readonly tensors: Iterable<TensorSource>;
}

/** An open safetensors file: close it with `using`. */
export interface SafetensorsFile extends Disposable {
  /** Free words beside the tensors. It has no prototype. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The tensors by name, in the order of the file. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Writes a safetensors file, whole or not at all. The same content gives the same bytes, whatever its order: tensors
 * stand by type, large elements first, then by name.
 *
 * @param path Where it shall be.
 * @param content Metadata and tensors; one tensor at a time is in memory.
 * @param options Those of {@linkcode writeAtomic}, less the size.
 * @throws {InputError} The file cannot be written.
 * @throws {TypeError} Two tensors have the same name, or one the reserved name `__metadata__`.
 * @throws {RangeError} A tensor gives more or fewer bytes than its shape needs.
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
  // JSON text made by pieces: any name is only a name, "__proto__" too.
  const entries: string[] = [];
  const words = Object.entries(content.metadata).sort(([a], [b]) => compare(a, b));
  if (words.length > 0) {
    entries.push(
      `"${METADATA}":{${words.map((pair) => pair.map((word) => JSON.stringify(word)).join(":")).join(",")}}`,
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
 * Opens a safetensors file. The header is read and checked whole; elements are read when they are asked for.
 *
 * @param path The file.
 * @returns Metadata and tensors.
 * @throws {InputError} The file cannot be read, or is not a sound safetensors file.
 */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  const file = await openFile(path);
  try {
    return await readHeader(path, file);
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
}

async function readHeader(path: string, file: RandomAccessFile): Promise<SafetensorsFile> {
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
  if (reached !== data) throw cannotRead(path, `its tensors take ${reached} bytes, but ${data} are there`);

  const tensors = new Map<string, StoredTensor>();
  for (const { name, layout, begin, end } of ranges) {
    tensors.set(name, { ...layout, read: () => file.read(dataStart + begin, end - begin) });
  }
  return { metadata, tensors, [Symbol.dispose]: () => file[Symbol.dispose]() };
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
    const type = typeof dtype === "string" ? `the type ${quoted(dtype)}` : "a type that is no word";
    throw cannotRead(path, `${where} has ${type}, known are ${Object.keys(DTYPE_BYTES).join(", ")}`);
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

// Not localeCompare: the order of a file's bytes must not depend on the machine's language.
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
