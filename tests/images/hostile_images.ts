// A folder of images that a stranger might send: bombs, false headers, truncated files, other formats with an image's
// name, and some good images among them.

import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import kinds from "../golden/image_kinds.json" with { type: "json" };
import golden from "../golden/images.json" with { type: "json" };

/** Which files of a folder are good. */
export interface HostileImages {
  /** Names of the images that can be decoded, those with hostile ornaments included. */
  readonly good: readonly string[];
  /** Names of those that cannot. */
  readonly bad: readonly string[];
}

const MEGABYTE = 2 ** 20;

/** Writes the folder: 60 hostile images and 12 plain ones. */
export async function writeHostileImages(folder: string): Promise<HostileImages> {
  const good = { ...plainImages(), ...ornamentedImages() };
  const bad = { ...badPngs(), ...badJpegs(), ...otherFiles() };
  for (const [name, bytes] of Object.entries({ ...good, ...bad })) await Deno.writeFile(join(folder, name), bytes);
  await Deno.mkdir(join(folder, "folder.jpg"));
  return { good: Object.keys(good), bad: [...Object.keys(bad), "folder.jpg"] };
}

type Files = Readonly<Record<string, Uint8Array>>;

const goldenImage = (name: keyof typeof golden.images) => Uint8Array.fromBase64(golden.images[name].file);
const kind = (name: keyof typeof kinds.images) => Uint8Array.fromBase64(kinds.images[name].file);
const text = (content: string) => new TextEncoder().encode(content);

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function chunk(type: string, content: Uint8Array = new Uint8Array()): Uint8Array {
  const body = joined(text(type), content);
  return joined(uint32(content.length), body, uint32(crc32(body)));
}

interface PngParts {
  readonly width: number;
  readonly height: number;
  readonly depth?: number;
  readonly colorType?: number;
  readonly chunks: readonly Uint8Array[];
}

function png({ width, height, depth = 8, colorType = 0, chunks }: PngParts): Uint8Array {
  const header = joined(uint32(width), uint32(height), Uint8Array.of(depth, colorType, 0, 0, 0));
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  return joined(signature, chunk("IHDR", header), ...chunks, chunk("IEND"));
}

const zeros = (length: number) => deflateSync(new Uint8Array(length));
const gray = (side: number) => chunk("IDAT", zeros(side * (side + 1)));

/** A segment of a JPEG. */
function segment(marker: number, content: Uint8Array): Uint8Array {
  return joined(Uint8Array.of(0xff, marker, (content.length + 2) >> 8, (content.length + 2) & 255), content);
}

/** Puts bytes after a JPEG's first marker. */
function afterStart(jpeg: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  return joined(jpeg.subarray(0, 2), ...parts, jpeg.subarray(2));
}

/** Puts chunks after a PNG's header. */
function afterHeader(file: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  return joined(file.subarray(0, 33), ...parts, file.subarray(33));
}

function frameAt(jpeg: Uint8Array): number {
  return jpeg.findIndex((byte, at) => byte === 0xff && [0xc0, 0xc2].includes(jpeg[at + 1] ?? 0));
}

/** Changes bytes of a JPEG's frame header, counted from its marker. */
function frame(jpeg: Uint8Array, changes: Readonly<Record<number, number>>): Uint8Array {
  const changed = jpeg.slice();
  for (const [at, value] of Object.entries(changes)) changed[frameAt(jpeg) + Number(at)] = value;
  return changed;
}

function ofSize(jpeg: Uint8Array, width: number, height: number): Uint8Array {
  return frame(jpeg, { 5: height >> 8, 6: height & 255, 7: width >> 8, 8: width & 255 });
}

function scanAt(jpeg: Uint8Array): number {
  return jpeg.findLastIndex((byte, at) => byte === 0xff && jpeg[at + 1] === 0xda);
}

/** The last scan again and again. */
function manyScans(jpeg: Uint8Array, count: number): Uint8Array {
  const scan = jpeg.subarray(scanAt(jpeg), -2);
  return joined(jpeg.subarray(0, -2), ...Array.from({ length: count }, () => scan), jpeg.subarray(-2));
}

function cut(file: Uint8Array, share: number): Uint8Array {
  return file.subarray(0, Math.floor(file.length * share));
}

function plainImages(): Files {
  return {
    "good-gray.jpg": goldenImage("gray.jpg"),
    "good-420.jpg": goldenImage("rgb-420.jpg"),
    "good-progressive.jpg": goldenImage("progressive.jpg"),
    "good-restarts.jpg": goldenImage("restarts.jpg"),
    "good-cmyk.jpg": goldenImage("cmyk.jpg"),
    "good-ycck.jpg": goldenImage("ycck.jpg"),
    "good-lying.jpg": kind("turned-6.jpg"),
    "good-rgb.png": goldenImage("rgb.png"),
    "good-palette.png": goldenImage("palette-transparent.png"),
    "good-interlaced.png": goldenImage("interlaced-alpha.png"),
    "good-16-bit.png": goldenImage("rgb-16-bit.png"),
    "good-one-bit.png": goldenImage("one-bit.png"),
  };
}

/** Images that are good despite their extra data, or are opened by Pillow despite their damage. */
function ornamentedImages(): Files {
  const exif = (...bytes: number[]) => segment(0xe1, joined(text("Exif\0\0"), Uint8Array.from(bytes)));
  const jpeg = goldenImage("rgb-420.jpg");
  const plain = goldenImage("rgb.png");
  const bomb = zeros(64 * MEGABYTE);
  return {
    "exif-loop.jpg": afterStart(jpeg, exif(0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 0, 0, 0, 0, 8)),
    "exif-outside.jpg": afterStart(jpeg, exif(0x49, 0x49, 42, 0, 0xff, 0xff, 0xff, 0xff)),
    "exif-wrong-mark.jpg": afterStart(jpeg, exif(0x4d, 0x49, 0, 42, 0, 0, 0, 8)),
    "exif-many-entries.jpg": afterStart(jpeg, exif(0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0xff, 0xff)),
    "exif-cut.png": afterHeader(plain, chunk("eXIf", text("MM\0*"))),
    "profile-bomb.png": afterHeader(plain, chunk("iCCP", joined(text("p\0\0"), bomb))),
    "text-bomb.png": afterHeader(plain, chunk("zTXt", joined(text("t\0\0"), bomb))),
    "many-chunks.png": afterHeader(plain, ...Array.from({ length: 50_000 }, () => chunk("tEXt"))),
    "pixel-bomb.png": png({ width: 64, height: 64, chunks: [chunk("IDAT", bomb)] }),
    "png-by-name.png": jpeg,
    "arithmetic.jpg": frame(jpeg, { 1: 0xc9 }),
    "short-segment.jpg": afterStart(jpeg, Uint8Array.of(0xff, 0xe5, 0, 1)),
    "half-zeros.jpg": jpeg.slice().fill(0, jpeg.length / 2),
  };
}

function badPngs(): Files {
  const plain = goldenImage("rgb.png");
  const flipped = plain.slice();
  flipped[plain.length >> 1] = (plain[plain.length >> 1] ?? 0) ^ 0x55;
  const filter = new Uint8Array(64 * 65).fill(9);
  return {
    // 31 KB that would be 256 million pixels.
    "16000-square.png": png({
      width: 16000,
      height: 16000,
      depth: 1,
      chunks: [chunk("IDAT", zeros(16000 * 2001))],
    }),
    "huge-claim.png": png({ width: 0x7fffffff, height: 0x7fffffff, chunks: [gray(8)] }),
    "strip.png": png({ width: 6500, height: 1, chunks: [gray(80)] }),
    "no-width.png": png({ width: 0, height: 8, chunks: [gray(8)] }),
    "wrong-depth.png": png({ width: 8, height: 8, depth: 7, chunks: [gray(8)] }),
    "wrong-colors.png": png({ width: 8, height: 8, colorType: 5, chunks: [gray(8)] }),
    "wrong-filter.png": png({ width: 64, height: 64, chunks: [chunk("IDAT", deflateSync(filter))] }),
    "no-palette.png": png({ width: 8, height: 8, colorType: 3, chunks: [gray(8)] }),
    "no-pixels.png": png({ width: 8, height: 8, chunks: [] }),
    "few-pixels.png": png({ width: 64, height: 64, chunks: [gray(8)] }),
    "much-claimed.png": png({ width: 7000, height: 7000, chunks: [gray(8)] }),
    "no-zlib.png": png({ width: 8, height: 8, chunks: [chunk("IDAT", text("no compressed data"))] }),
    "unknown-chunk.png": png({ width: 8, height: 8, chunks: [chunk("ABCD"), gray(8)] }),
    "endless-chunk.png": joined(plain.subarray(0, 33), uint32(0xffffffff), text("IDAT")),
    "checksum.png": flipped,
    "cut-10.png": cut(plain, 0.1),
    "cut-50.png": cut(plain, 0.5),
    "cut-interlaced.png": cut(goldenImage("interlaced.png"), 0.7),
    "signature.png": plain.subarray(0, 8),
  };
}

function badJpegs(): Files {
  const plain = goldenImage("rgb-420.jpg");
  const progressive = goldenImage("progressive.jpg");
  return {
    "60000-square.jpg": ofSize(plain, 60000, 60000),
    "much-claimed.jpg": ofSize(plain, 7000, 7000).subarray(0, -2),
    "much-claimed-progressive.jpg": ofSize(progressive, 7000, 7000),
    "strip.jpg": ofSize(plain, 1, 5000),
    "no-height.jpg": ofSize(plain, 45, 0),
    "many-scans.jpg": manyScans(progressive, 5000),
    "12-bit.jpg": frame(plain, { 4: 12 }),
    "two-components.jpg": frame(plain, { 9: 2 }),
    "lossless.jpg": frame(plain, { 1: 0xc3 }),
    "no-sampling.jpg": frame(plain, { 11: 0 }),
    "no-frame.jpg": Uint8Array.of(0xff, 0xd8, 0xff, 0xd9),
    "no-scan.jpg": joined(plain.subarray(0, scanAt(plain)), Uint8Array.of(0xff, 0xd9)),
    "no-tables.jpg": joined(plain.subarray(0, 2), plain.subarray(frameAt(plain))),
    "cut-10.jpg": cut(plain, 0.1),
    "cut-50.jpg": cut(plain, 0.5),
    "cut-90.jpg": cut(plain, 0.9),
    "cut-progressive.jpg": cut(progressive, 0.6),
    "start.jpg": plain.subarray(0, 3),
  };
}

function otherFiles(): Files {
  const ftyp = (brand: string) => text(`\0\0\0\x18ftyp${brand}\0\0\0\0mif1`);
  return {
    "webp.jpg": text("RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0"),
    "avif.jpg": ftyp("avif"),
    "heic.jpg": ftyp("heic"),
    "tiff.jpg": text("II*\0\x08\0\0\0"),
    "gif.jpg": text("GIF89a\x01\0\x01\0\0\0\0"),
    "bmp.jpg": text("BM\x46\0\0\0\0\0\0\0\x36\0\0\0"),
    "svg.png": text('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'),
    "document.jpg": text("%PDF-1.7\n"),
    "page.jpg": text("<!DOCTYPE html>\n<html><body>404 Not Found</body></html>"),
  };
}
