// Locates the files of an uncompressed zip archive, as written by `torch.save`. The archive is treated as hostile:
// files must not overlap or share a name, and redundant information must agree. Only the directory and the files'
// headers are read.

import { quoted } from "../printable.ts";
import type { RandomAccessFile } from "../files/open_file.ts";
import { InputError } from "../input_error.ts";

const LOCAL = { signature: 0x0403_4b50, bytes: 30 };
const CENTRAL = { signature: 0x0201_4b50, bytes: 46 };
const END = { signature: 0x0605_4b50, bytes: 22 };
const LOCATOR = { signature: 0x0706_4b50, bytes: 20 };
const END_64 = { signature: 0x0606_4b50, bytes: 56 };
const EXTRA_64 = 1;
/** Marks a number that is too large for its field and is stored in an extra field instead. */
const IN_EXTRA = 0xffff_ffff;
// The limit of zip without extensions; each file costs one read.
const MAX_ENTRIES = 0xffff;
const MAX_DIRECTORY_BYTES = 2 ** 25;
const WINDOW_BYTES = 4096;

/** A file's range in its archive. */
export interface ZipRange {
  /** Offset of its first byte. */
  readonly begin: number;
  /** Offset after its last byte. */
  readonly end: number;
  /** The expected CRC-32; undefined if the archive has none. */
  readonly crc32: number | undefined;
}

interface Listed {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly size: number;
  readonly header: number;
  readonly crc32: number;
}

/**
 * Lists an archive's files, in order, without reading their content; the reader of the content checks its CRC-32. An
 * archive in which every CRC-32 is 0 was written by PyTorch with `torch.serialization.set_crc32_options(False)`; it is
 * accepted without this protection.
 *
 * @param file The archive; zip64 is supported.
 * @throws {InputError} If the archive is broken or a file in it is compressed (the message is the reason without the
 * path), or it cannot be read.
 */
export async function storedZipEntries(file: RandomAccessFile): Promise<Map<string, ZipRange>> {
  const window = new Window(file);
  const { count, begin, end } = await findDirectory(window);
  const view = await window.view(begin, end - begin);
  const listed = new Map<string, Listed>();
  let at = 0;
  for (let index = 0; index < count; index++) {
    const { entry, next } = readListed(view, at);
    if (listed.has(entry.name)) throw new InputError(`${quoted(entry.name)} occurs twice in it`);
    listed.set(entry.name, entry);
    at = next;
  }
  if (at !== view.byteLength) throw broken();
  const hasSums = [...listed.values()].some(({ crc32 }) => crc32 !== 0);
  const ranges = new Map<string, ZipRange>();
  let free = 0;
  for (const entry of [...listed.values()].sort((a, b) => a.header - b.header)) {
    if (entry.header < free) throw overlapping();
    const content = await findContent(window, entry, begin);
    ranges.set(entry.name, { ...content, crc32: hasSums ? entry.crc32 : undefined });
    free = content.end;
  }
  return ranges;
}

/** The directory precedes the final record, which points to it; PyTorch writes no comment after that record. */
async function findDirectory(window: Window): Promise<{ count: number; begin: number; end: number }> {
  const record = window.size - END.bytes;
  const locator = record - LOCATOR.bytes;
  const last = await window.view(record, END.bytes);
  expectRecord(last, 0, END);
  const before = locator < 0 ? undefined : await window.view(locator, LOCATOR.bytes);
  if (before?.getUint32(0, true) !== LOCATOR.signature) {
    return directory(last.getUint16(10, true), last.getUint32(16, true), record);
  }
  const record64 = uint64(before, 8);
  if (record64 > locator) throw broken();
  const last64 = await window.view(record64, END_64.bytes);
  expectRecord(last64, 0, END_64);
  return directory(uint64(last64, 32), uint64(last64, 48), record64);
}

function directory(count: number, begin: number, end: number): { count: number; begin: number; end: number } {
  if (begin + count * CENTRAL.bytes > end) throw broken();
  if (count > MAX_ENTRIES || end - begin > MAX_DIRECTORY_BYTES) {
    throw new InputError(`its directory of ${count} files and ${end - begin} bytes is larger than weights need`);
  }
  return { count, begin, end };
}

function readListed(view: DataView, at: number): { entry: Listed; next: number } {
  expectRecord(view, at, CENTRAL);
  const nameEnd = at + CENTRAL.bytes + view.getUint16(at + 28, true);
  const extraEnd = nameEnd + view.getUint16(at + 30, true);
  const next = extraEnd + view.getUint16(at + 32, true);
  if (next > view.byteLength) throw broken();
  const nameBytes = bytesAt(view, at + CENTRAL.bytes, nameEnd);
  const name = new TextDecoder().decode(nameBytes);
  const [originalSize, size, header] = withExtra(view, [at + 24, at + 20, at + 42], nameEnd, extraEnd);
  const isEncrypted = (view.getUint16(at + 8, true) & 1) !== 0;
  const isStored = view.getUint16(at + 10, true) === 0 && size === originalSize;
  if (isEncrypted || !isStored) {
    throw new InputError(`${quoted(name)} in it is compressed or encrypted, save it again with torch.save`);
  }
  return { entry: { name, nameBytes, size, header, crc32: view.getUint32(at + 16, true) }, next };
}

/** Reads three 32-bit numbers; those that do not fit are stored in the extra field in this order, with 64 bits. */
function withExtra(
  view: DataView,
  offsets: readonly [number, number, number],
  begin: number,
  end: number,
): [number, number, number] {
  let [at, left] = find64(view, begin, end);
  const read = (offset: number): number => {
    const value = view.getUint32(offset, true);
    if (value !== IN_EXTRA) return value;
    if (left < 8) throw broken();
    at += 8;
    left -= 8;
    return uint64(view, at - 8);
  };
  return [read(offsets[0]), read(offsets[1]), read(offsets[2])];
}

function find64(view: DataView, begin: number, end: number): [at: number, bytes: number] {
  for (let at = begin; at + 4 <= end;) {
    const size = view.getUint16(at + 2, true);
    if (at + 4 + size > end) break;
    if (view.getUint16(at, true) === EXTRA_64) return [at + 4, size];
    at += 4 + size;
  }
  return [end, 0];
}

async function findContent(
  window: Window,
  { nameBytes, size, header }: Listed,
  limit: number,
): Promise<{ begin: number; end: number }> {
  if (header + LOCAL.bytes + nameBytes.length > limit) throw overlapping();
  const view = await window.view(header, LOCAL.bytes + nameBytes.length);
  expectRecord(view, 0, LOCAL);
  if (view.getUint16(26, true) !== nameBytes.length) throw broken();
  const begin = header + view.byteLength + view.getUint16(28, true);
  const end = begin + size;
  if (end > limit) throw overlapping();
  const localName = bytesAt(view, LOCAL.bytes, view.byteLength);
  if (localName.some((byte, at) => byte !== nameBytes[at])) throw broken();
  return { begin, end };
}

/** Reads a file in windows, so that nearby data, such as the headers of small files, are read together. */
class Window {
  #begin = 0;
  #bytes = new Uint8Array(0);

  constructor(readonly file: RandomAccessFile) {}

  get size(): number {
    return this.file.size;
  }

  async view(at: number, bytes: number): Promise<DataView> {
    if (at < 0 || at + bytes > this.size) throw broken();
    if (at < this.#begin || at + bytes > this.#begin + this.#bytes.byteLength) {
      const length = Math.max(bytes, WINDOW_BYTES);
      // The records at the end are read backwards.
      this.#begin = Math.max(0, Math.min(at, this.size - length));
      this.#bytes = await this.file.read(this.#begin, Math.min(length, this.size - this.#begin));
    }
    return new DataView(this.#bytes.buffer, at - this.#begin, bytes);
  }
}

function expectRecord(view: DataView, at: number, record: { signature: number; bytes: number }): void {
  if (at < 0 || at + record.bytes > view.byteLength || view.getUint32(at, true) !== record.signature) throw broken();
}

function bytesAt(view: DataView, begin: number, end: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + begin, end - begin);
}

function uint64(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw broken();
  return value;
}

function broken(): InputError {
  return new InputError("it is cut off or broken, its zip archive cannot be read");
}

function overlapping(): InputError {
  return new InputError("it is broken, its files overlap");
}
