/**
 * What an image file's first bytes say, before anything is decoded.
 *
 * @module
 */

import { ImageError } from "./image_error.ts";

/** A file's format, told by its first bytes and never by its name. */
export type ImageKind =
  | "jpeg"
  | "png"
  | "WebP"
  | "AVIF"
  | "HEIC"
  | "TIFF"
  | "GIF"
  | "BMP"
  | "text"
  | "empty file"
  | "unknown";

/** The shape that a JPEG or PNG declares. */
export interface ImageHeader {
  /** The format. */
  readonly kind: "jpeg" | "png";
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** Samples a pixel in the file: 1 grey or palette, 2 grey and alpha, 3 colour, 4 CMYK (JPEG) or colour and alpha. */
  readonly components: number;
  /** Where in the file the header ends, in bytes. */
  readonly end: number;
}

const JPEG_CUT = "the JPEG ends too early, fetch or copy the file again";
const PNG_CUT = "the PNG ends too early, fetch or copy the file again";
const HEIC_BRANDS = ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"];
const PNG_COMPONENTS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/**
 * Tells a file's format.
 *
 * @param bytes The file, or at least its first 512 bytes.
 * @returns The format, or what the file is instead of an image.
 */
export function imageKind(bytes: Uint8Array): ImageKind {
  if (bytes.length === 0) return "empty file";
  if (startsWith(bytes, [0xff, 0xd8, 0xff])) return "jpeg";
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return "png";
  if (ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 12) === "WEBP") return "WebP";
  if (ascii(bytes, 4, 8) === "ftyp") {
    const brand = ascii(bytes, 8, 12);
    if (brand === "avif" || brand === "avis") return "AVIF";
    if (HEIC_BRANDS.includes(brand)) return "HEIC";
  }
  if (startsWith(bytes, [0x49, 0x49, 0x2a, 0]) || startsWith(bytes, [0x4d, 0x4d, 0, 0x2a])) return "TIFF";
  if (ascii(bytes, 0, 4) === "GIF8") return "GIF";
  // A text may begin with "BM" too; a bitmap's reserved bytes 6 to 9 are zero.
  if (ascii(bytes, 0, 2) === "BM" && bytes.length >= 10 && bytes.subarray(6, 10).every((byte) => byte === 0)) {
    return "BMP";
  }
  return isText(bytes.subarray(0, 512)) ? "text" : "unknown";
}

/**
 * Reads the dimensions of a JPEG or PNG. Any bytes may be given: nothing is read past their end, and the time is
 * linear in their number.
 *
 * @param bytes The file.
 * @returns The header; its numbers are at least 1.
 * @throws {ImageError} If the file is no JPEG or PNG, ends before its header does, or is of a variety that the decoder
 * does not know.
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader {
  const kind = imageKind(bytes);
  switch (kind) {
    case "jpeg":
      return readJpegHeader(bytes);
    case "png":
      return readPngHeader(bytes);
    case "empty file":
      throw new ImageError("the file is empty");
    case "text":
      throw new ImageError("the file is text, not an image, give a JPEG or PNG file");
    case "unknown":
      throw new ImageError("the file is no image of a known format, give a JPEG or PNG file");
    default:
      throw new ImageError(`the file is a ${kind} image, convert it to JPEG or PNG`);
  }
}

/**
 * Whether a file's end is missing, which tells a cut file from a damaged one.
 *
 * @param bytes The file.
 * @param header Its header.
 */
export function endsEarly(bytes: Uint8Array, header: ImageHeader): boolean {
  return header.kind === "jpeg" ? !hasEndMarker(bytes, header.end) : !hasEndChunk(bytes, header.end);
}

/** The error for a JPEG or PNG that is cut. */
export function cutError(kind: "jpeg" | "png"): ImageError {
  return new ImageError(kind === "jpeg" ? JPEG_CUT : PNG_CUT);
}

/** Walks the segments up to the frame header, ITU T.81 annex B; as libjpeg, it passes over bytes between segments. */
function readJpegHeader(bytes: Uint8Array): ImageHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let position = 2;
  while (true) {
    while (position < bytes.length && bytes[position] !== 0xff) position++;
    while (position < bytes.length && bytes[position] === 0xff) position++;
    const marker = bytes[position];
    if (marker === undefined) throw cutError("jpeg");
    position++;
    if (marker === 0 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) continue;
    if (marker === 0xd9 || marker === 0xda) throw new ImageError("the JPEG is damaged: it has no frame header");
    if (position + 2 > bytes.length) throw cutError("jpeg");
    const length = view.getUint16(position);
    if (length < 2) throw new ImageError("the JPEG is damaged: it has a segment shorter than its own length field");
    if (isFrameHeader(marker)) return readFrameHeader(view, position, marker, length);
    position += length;
  }
}

function isFrameHeader(marker: number): boolean {
  // Between the frame headers lie Huffman tables (C4), an extension (C8) and arithmetic conditioning (CC).
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function readFrameHeader(view: DataView, position: number, marker: number, length: number): ImageHeader {
  if (position + length > view.byteLength) throw cutError("jpeg");
  if (length < 8) throw new ImageError("the JPEG is damaged: its frame header is too short");
  if (marker > 0xc2) {
    throw new ImageError("the JPEG is lossless, hierarchical or arithmetic-coded, save it as a baseline JPEG");
  }
  const precision = view.getUint8(position + 2);
  if (precision !== 8) throw new ImageError(`the JPEG has ${precision} bits a sample, save it with 8`);
  const height = view.getUint16(position + 3);
  const width = view.getUint16(position + 5);
  const components = view.getUint8(position + 7);
  if (![1, 3, 4].includes(components)) {
    throw new ImageError(`the JPEG has ${components} components, save it in grey, RGB or CMYK`);
  }
  return checked({ kind: "jpeg", width, height, components, end: position + length });
}

function readPngHeader(bytes: Uint8Array): ImageHeader {
  const end = 33;
  if (bytes.length < end) throw cutError("png");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const components = PNG_COMPONENTS[view.getUint8(25)];
  if (view.getUint32(8) !== 13 || ascii(bytes, 12, 16) !== "IHDR" || components === undefined) {
    throw new ImageError("the PNG is damaged: its header is wrong");
  }
  return checked({ kind: "png", width: view.getUint32(16), height: view.getUint32(20), components, end });
}

function checked(header: ImageHeader): ImageHeader {
  if (header.width < 1 || header.height < 1) {
    throw new ImageError(
      `the ${header.kind.toUpperCase()} is damaged: it declares ${header.width} x ${header.height} pixels`,
    );
  }
  return header;
}

/** What precedes the frame header can hold a thumbnail with an end of its own, so only what follows is searched. */
function hasEndMarker(bytes: Uint8Array, start: number): boolean {
  for (let last = bytes.length - 2; last >= start; last--) {
    if (bytes[last] === 0xff && bytes[last + 1] === 0xd9) return true;
  }
  return false;
}

function hasEndChunk(bytes: Uint8Array, start: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // A chunk is its length, a type of four letters, as many bytes, and four of checksum.
  for (let position = start; position + 12 <= bytes.length; position += view.getUint32(position) + 12) {
    if (ascii(bytes, position + 4, position + 8) === "IEND") return true;
  }
  return false;
}

function startsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  return prefix.every((byte, index) => bytes[index] === byte);
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}

function isText(bytes: Uint8Array): boolean {
  if (bytes.some((byte) => byte === 0x7f || (byte < 0x20 && !(byte >= 0x09 && byte <= 0x0d)))) return false;
  try {
    // The excerpt may end inside a character, so this is decoded as a stream.
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
