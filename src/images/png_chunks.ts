import { exifOrientation, type Orientation } from "./exif_orientation.ts";

/** The chunks of a PNG whose content is whole. Any bytes are safe. */
function* pngChunks(bytes: Uint8Array): Generator<{ readonly type: string; readonly content: Uint8Array }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // After the signature: a length, a type, the content and a checksum.
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > bytes.length) return;
    yield { type: String.fromCharCode(...bytes.subarray(at + 4, at + 8)), content: bytes.subarray(at + 8, end) };
    at = end + 4;
  }
}

/** Texts in a PNG, compressed or not. */
const TEXTS = ["tEXt", "zTXt", "iTXt"];

/** Removes the texts from a PNG, in place: libpng takes seconds over thousands of them. Returns what is left. */
export function withoutTexts(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  let [from, to] = [8, 8];
  for (const { type, content } of pngChunks(bytes)) {
    const end = content.byteOffset - bytes.byteOffset + content.length + 4;
    if (!TEXTS.includes(type)) {
      if (to < from) bytes.copyWithin(to, from, end);
      to += end - from;
    }
    from = end;
  }
  if (to < from) bytes.copyWithin(to, from);
  return bytes.subarray(0, bytes.length - (from - to));
}

/** The orientation in a PNG's `eXIf` chunk, which this build of libvips does not read; 1 without such a chunk. */
export function pngOrientation(bytes: Uint8Array): Orientation {
  for (const { type, content } of pngChunks(bytes)) if (type === "eXIf") return exifOrientation(content);
  return 1;
}

/** Whether a PNG has no end: libvips reports it like other damage. */
export function pngEndsEarly(bytes: Uint8Array): boolean {
  for (const { type } of pngChunks(bytes)) if (type === "IEND") return false;
  return true;
}
