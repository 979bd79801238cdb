/**
 * Where the files of a zip archive lie, as long as none is compressed: what `torch.save` writes.
 *
 * The archive is read as hostile: its files may neither overlap nor share a name, and what it says of itself twice must
 * agree.
 *
 * @module
 */

import { quoted } from "../files/file_error.ts";
import { InputError } from "../input_error.ts";

const LOCAL = { signature: 0x0403_4b50, bytes: 30 };
const CENTRAL = { signature: 0x0201_4b50, bytes: 46 };
const END = { signature: 0x0605_4b50, bytes: 22 };
const LOCATOR = { signature: 0x0706_4b50, bytes: 20 };
const END_64 = { signature: 0x0606_4b50, bytes: 56 };
const EXTRA_64 = 1;
/** Stands where a number is too large for its field; the number itself follows in an extra field. */
const IN_EXTRA = 0xffff_ffff;
const MAX_ENTRIES = 1_000_000;

/** A file's place in its archive. */
export interface ZipRange {
  /** Its first byte. */
  readonly begin: number;
  /** The byte after its last one. */
  readonly end: number;
}

interface Listed {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly size: number;
  readonly header: number;
}

/**
 * Lists an archive's files.
 *
 * @param bytes The whole archive; archives of more than 4 GiB (zip64) too.
 * @returns Where each file's content lies, by name, in the order of the archive's directory.
 * @throws {InputError} The archive is broken, or a file in it is compressed; the message is a reason alone, without the
 * path.
 */
export function storedZipEntries(bytes: Uint8Array<ArrayBuffer>): Map<string, ZipRange> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { count, begin, end } = findDirectory(view);
  const listed: Listed[] = [];
  const ranges = new Map<string, ZipRange>();
  let at = begin;
  for (let index = 0; index < count; index++) {
    const { entry, next } = readListed(view, at, end);
    if (ranges.has(entry.name)) throw new InputError(`${quoted(entry.name)} stands in it twice`);
    ranges.set(entry.name, { begin: 0, end: 0 });
    listed.push(entry);
    at = next;
  }
  if (at !== end) throw broken();
  let free = 0;
  for (const entry of listed.toSorted((a, b) => a.header - b.header)) {
    if (entry.header < free) throw overlapping();
    const content = findContent(view, entry, begin);
    ranges.set(entry.name, content);
    free = content.end;
  }
  return ranges;
}

/** The directory stands at the end, before the record that says where; PyTorch writes no comment after that one. */
function findDirectory(view: DataView): { count: number; begin: number; end: number } {
  const record = view.byteLength - END.bytes;
  expectRecord(view, record, END);
  const locator = record - LOCATOR.bytes;
  if (locator < 0 || view.getUint32(locator, true) !== LOCATOR.signature) {
    return directory(view.getUint16(record + 10, true), view.getUint32(record + 16, true), record);
  }
  const record64 = uint64(view, locator + 8);
  if (record64 > locator) throw broken();
  expectRecord(view, record64, END_64);
  return directory(uint64(view, record64 + 32), uint64(view, record64 + 48), record64);
}

function directory(count: number, begin: number, end: number): { count: number; begin: number; end: number } {
  if (count > MAX_ENTRIES || begin + count * CENTRAL.bytes > end) throw broken();
  return { count, begin, end };
}

function readListed(view: DataView, at: number, end: number): { entry: Listed; next: number } {
  expectRecord(view, at, CENTRAL);
  const nameEnd = at + CENTRAL.bytes + view.getUint16(at + 28, true);
  const extraEnd = nameEnd + view.getUint16(at + 30, true);
  const next = extraEnd + view.getUint16(at + 32, true);
  if (next > end) throw broken();
  const nameBytes = bytesAt(view, at + CENTRAL.bytes, nameEnd);
  const name = new TextDecoder().decode(nameBytes);
  const [originalSize, size, header] = withExtra(view, [at + 24, at + 20, at + 42], nameEnd, extraEnd);
  const isEncrypted = (view.getUint16(at + 8, true) & 1) !== 0;
  const isStored = view.getUint16(at + 10, true) === 0 && size === originalSize;
  if (isEncrypted || !isStored) {
    throw new InputError(`${quoted(name)} in it is compressed or encrypted, save it again with torch.save`);
  }
  return { entry: { name, nameBytes, size, header }, next };
}

/** Three numbers of 32 bits; those that do not fit stand in the extra field in this order, with 64. */
function withExtra(
  view: DataView,
  places: readonly [number, number, number],
  begin: number,
  end: number,
): [number, number, number] {
  let [at, left] = find64(view, begin, end);
  const read = (place: number): number => {
    const value = view.getUint32(place, true);
    if (value !== IN_EXTRA) return value;
    if (left < 8) throw broken();
    at += 8;
    left -= 8;
    return uint64(view, at - 8);
  };
  return [read(places[0]), read(places[1]), read(places[2])];
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

function findContent(view: DataView, { nameBytes, size, header }: Listed, limit: number): ZipRange {
  if (header + LOCAL.bytes > limit) throw overlapping();
  expectRecord(view, header, LOCAL);
  const nameEnd = header + LOCAL.bytes + view.getUint16(header + 26, true);
  const begin = nameEnd + view.getUint16(header + 28, true);
  const end = begin + size;
  if (end > limit) throw overlapping();
  const localName = bytesAt(view, header + LOCAL.bytes, nameEnd);
  if (localName.length !== nameBytes.length || localName.some((byte, at) => byte !== nameBytes[at])) throw broken();
  return { begin, end };
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
