import { quoted } from "../printable.ts";
import { cannotRead, type RandomAccessFile } from "./open_file.ts";
import { readPaxRecords } from "./pax_records.ts";
import { hasHeaderChecksum, headerField, headerNumber } from "./tar_header.ts";

/** A member of a tar file. */
export interface TarMember {
  /** The path as written in the tar. It may point anywhere. */
  readonly name: string;
  /** The content is stored as it is: not a folder, link, device or sparse file. */
  readonly isFile: boolean;
  /** Offset of the content in the tar. */
  readonly offset: number;
  /** Size in bytes. */
  readonly size: number;
}

const BLOCK = 512;

/** The longest path has 4096 bytes, and pax adds little to it. */
const MAX_LONG_HEADER = 1 << 16;

/** Headers and small members that follow each other are read together. */
const WINDOW = 16 * BLOCK;

/** Detects a tar by the first block of a file. */
export function isTar(bytes: Uint8Array<ArrayBuffer>): boolean {
  return bytes.length >= BLOCK && hasHeaderChecksum(bytes.subarray(0, BLOCK));
}

/**
 * Iterates over the members without reading their content. Supports ustar with GNU's and pax's long names and sizes.
 * Memory does not grow with the file.
 *
 * @param path The file's path, for error messages.
 * @throws {InputError} If it is not a tar, is truncated, or has a header that is damaged or too large. Members yielded
 * before are valid.
 */
export async function* tarMembers(file: RandomAccessFile, path: string): AsyncGenerator<TarMember, void, undefined> {
  const windowed = new Windowed(file);
  let long: { name?: string; size?: number; sparse?: boolean } = {};
  let last = "";
  for (let at = 0; at < file.size;) {
    const where = last === "" ? "" : ` after ${quoted(last)}`;
    const damaged = (reason: string) => cannotRead(path, `${reason}${where} at byte ${at}; fetch it again`);
    if (at + BLOCK > file.size) throw damaged("the tar ends within a header");
    const header = await windowed.read(at, BLOCK);
    if (header.every((byte) => byte === 0)) return;
    if (!hasHeaderChecksum(header)) throw damaged("the tar has no valid header");
    const type = String.fromCharCode(header[156] ?? 0);
    const size = long.size !== undefined && !isLongHeader(type) ? long.size : headerNumber(header.subarray(124, 136));
    if (size === undefined || !Number.isSafeInteger(size)) throw damaged("the tar has a member without a valid size");
    // The header of a link or folder may have a size, but no bytes follow.
    const stored = "123456".includes(type) ? 0 : size;
    const offset = at + BLOCK;
    if (stored > file.size - offset) throw damaged(`the tar ends within a member of ${stored} bytes`);
    if (isLongHeader(type)) {
      if (type !== "g" && type !== "K") {
        if (stored > MAX_LONG_HEADER) {
          throw damaged(`the tar has a header of ${stored} bytes, ${MAX_LONG_HEADER} are allowed,`);
        }
        const bytes = await windowed.read(offset, stored);
        if (type === "L") long = { ...long, name: headerField(bytes) };
        else {
          const records = readPaxRecords(bytes);
          if (records === undefined) throw damaged("the tar has a damaged pax header");
          long = { ...long, ...records };
        }
      }
    } else {
      const name = long.name ?? headerName(header);
      yield {
        name,
        isFile: (type === "0" || type === "7" || type === "\0") && long.sparse !== true && !name.endsWith("/"),
        offset,
        size: stored,
      };
      last = name;
      long = {};
    }
    at = offset + Math.ceil(stored / BLOCK) * BLOCK;
  }
}

function isLongHeader(type: string): boolean {
  return "LKxg".includes(type);
}

function headerName(header: Uint8Array): string {
  const name = headerField(header.subarray(0, 100));
  // GNU stores other data where ustar stores the name's prefix.
  const isUstar = headerField(header.subarray(257, 263)) === "ustar" && header[262] === 0;
  const prefix = isUstar ? headerField(header.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** Reads consecutive small pieces with few calls. */
class Windowed {
  #start = 0;
  #bytes = new Uint8Array(0);

  constructor(readonly file: RandomAccessFile) {}

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (length > WINDOW) return await this.file.read(offset, length);
    const begin = offset - this.#start;
    if (begin < 0 || begin + length > this.#bytes.length) {
      this.#bytes = await this.file.read(offset, Math.min(WINDOW, this.file.size - offset));
      this.#start = offset;
    }
    return this.#bytes.subarray(offset - this.#start, offset - this.#start + length);
  }
}
