// Writes zip archives like PyTorch: entries are stored without compression, and their data begin at multiples of 64
// bytes.

import { crc32 } from "node:zlib";

// PyTorch maps files into memory and needs aligned tensors.
const ALIGNMENT = 64;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const EXTRA_HEADER_BYTES = 4;
// PyTorch's name for the padding field: "FB".
const PADDING_FIELD = 0x4246;
const VERSION = 20;
// 1980-01-01: with the current time, the same weights would give different files.
const DOS_DATE = (1 << 5) | 1;
const MAX_BYTES = 0xffff_ffff;
const MAX_ENTRIES = 0xffff;

export interface ZipEntry {
  /** Path in the archive, ASCII. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /** Reads the content on demand. */
  read(): Uint8Array | Promise<Uint8Array>;
}

interface Placed extends ZipEntry {
  readonly nameBytes: Uint8Array;
  readonly padding: number;
  readonly offset: number;
}

/**
 * Lays out an archive of stored entries. Returns its size in bytes, and its content in chunks; one entry's content is
 * in memory at a time.
 *
 * @throws {RangeError} If it exceeds 4 GiB or 65,535 files, the limits of zip without extensions.
 */
export function storedZip(entries: readonly ZipEntry[]): { size: number; chunks: AsyncIterable<Uint8Array> } {
  const placed: Placed[] = [];
  let offset = 0;
  let centralBytes = 0;
  for (const entry of entries) {
    const nameBytes = new TextEncoder().encode(entry.name);
    const unpadded = offset + LOCAL_BYTES + nameBytes.byteLength + EXTRA_HEADER_BYTES;
    const padding = (ALIGNMENT - unpadded % ALIGNMENT) % ALIGNMENT;
    placed.push({ name: entry.name, size: entry.size, read: () => entry.read(), nameBytes, padding, offset });
    offset = unpadded + padding + entry.size;
    centralBytes += CENTRAL_BYTES + nameBytes.byteLength;
  }
  const size = offset + centralBytes + END_BYTES;
  if (size > MAX_BYTES || entries.length > MAX_ENTRIES) {
    throw new RangeError(`Cannot write a zip archive of ${entries.length} files and ${size} bytes: it holds 4 GiB`);
  }
  return { size, chunks: archive(placed, offset, centralBytes) };
}

async function* archive(entries: Placed[], centralOffset: number, centralBytes: number): AsyncGenerator<Uint8Array> {
  const central: Uint8Array[] = [];
  for (const entry of entries) {
    const content = await entry.read();
    const sum = crc32(content);
    yield localHeader(entry, sum);
    yield content;
    central.push(centralHeader(entry, sum));
  }
  yield* central;
  const end = new Uint8Array(END_BYTES);
  const view = new DataView(end.buffer);
  view.setUint32(0, 0x06054b50, true);
  view.setUint16(8, entries.length, true);
  view.setUint16(10, entries.length, true);
  view.setUint32(12, centralBytes, true);
  view.setUint32(16, centralOffset, true);
  yield end;
}

function localHeader(entry: Placed, sum: number): Uint8Array {
  const extra = LOCAL_BYTES + entry.nameBytes.byteLength;
  const header = new Uint8Array(extra + EXTRA_HEADER_BYTES + entry.padding);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0x04034b50, true);
  setCommonFields(view, 4, entry, sum);
  view.setUint16(28, EXTRA_HEADER_BYTES + entry.padding, true);
  header.set(entry.nameBytes, LOCAL_BYTES);
  view.setUint16(extra, PADDING_FIELD, true);
  view.setUint16(extra + 2, entry.padding, true);
  return header;
}

function centralHeader(entry: Placed, sum: number): Uint8Array {
  const header = new Uint8Array(CENTRAL_BYTES + entry.nameBytes.byteLength);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0x02014b50, true);
  view.setUint16(4, VERSION, true);
  setCommonFields(view, 6, entry, sum);
  view.setUint32(42, entry.offset, true);
  header.set(entry.nameBytes, CENTRAL_BYTES);
  return header;
}

/** The common fields of local and central headers, from "version needed" to the name's length. */
function setCommonFields(view: DataView, at: number, entry: Placed, sum: number): void {
  view.setUint16(at, VERSION, true);
  view.setUint16(at + 8, DOS_DATE, true);
  view.setUint32(at + 10, sum, true);
  view.setUint32(at + 14, entry.size, true);
  view.setUint32(at + 18, entry.size, true);
  view.setUint16(at + 22, entry.nameBytes.byteLength, true);
}
