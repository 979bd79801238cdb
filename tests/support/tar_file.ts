// Tar files for tests, written after the descriptions of POSIX and GNU tar.

/** What {@linkcode tarFile} writes of a member. */
export interface TarEntry {
  /** Its path, at most 100 bytes; longer ones are stored in an entry before it. */
  name: string;
  /** The type's character. */
  type?: string;
  /** What is in it. */
  content?: string | Uint8Array<ArrayBuffer>;
  /** The size that the header claims, as its twelve bytes. */
  size?: string | Uint8Array;
  /** What ustar puts before the name. */
  prefix?: string;
}

/** A header and the content, filled up to whole blocks. */
export function tarEntry(entry: TarEntry): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const content = typeof entry.content === "string" ? encoder.encode(entry.content) : entry.content ?? new Uint8Array();
  const bytes = new Uint8Array(512 + Math.ceil(content.length / 512) * 512);
  const put = (at: number, text: string | Uint8Array) =>
    bytes.set(typeof text === "string" ? encoder.encode(text) : text, at);
  put(0, entry.name);
  put(100, "0000644\0");
  put(124, entry.size ?? `${content.length.toString(8).padStart(11, "0")}\0`);
  put(148, "        ");
  put(156, entry.type ?? "0");
  put(257, "ustar\x0000");
  put(345, entry.prefix ?? "");
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  bytes.set(content, 512);
  return bytes;
}

/** A whole tar with its two empty blocks at the end. */
export function tarFile(entries: readonly TarEntry[]): Uint8Array<ArrayBuffer> {
  return joinBytes([...entries.map(tarEntry), new Uint8Array(1024)]);
}

/** A pax record with its own length before it. */
export function paxRecord(key: string, value: string): string {
  const rest = new TextEncoder().encode(` ${key}=${value}\n`).length;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

/** Pieces one after the other. */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
