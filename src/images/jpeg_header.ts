import { exifOrientation, type Orientation } from "./exif_orientation.ts";
import { ImageError } from "./image_error.ts";

export interface JpegHeader {
  readonly kind: "jpeg";
  /** Pixels in a stored row. */
  readonly width: number;
  /** Stored rows. */
  readonly height: number;
  readonly orientation: Orientation;
  /** Samples per pixel: 1 gray, 3 color, 4 CMYK or YCCK. */
  readonly components: 1 | 3 | 4;
  /** The image is stored in scans of growing detail, which must all be kept in memory. */
  readonly progressive: boolean;
  /** Samples of all components, each padded to whole blocks. */
  readonly samples: number;
  /** The color transform of the Adobe segment: 0 RGB or CMYK, 1 YCbCr, 2 YCCK. */
  readonly transform: 0 | 1 | 2;
  /** Byte offset of the first scan's marker. */
  readonly end: number;
}

/** Encoders write about ten scans, and each costs a pass over the whole image. */
const MAX_SCANS = 100;
const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;

export function jpegCutError(): ImageError {
  return new ImageError("the JPEG ends too early, fetch or copy the file again");
}

type Frame = Pick<JpegHeader, "width" | "height" | "components" | "progressive" | "samples"> & {
  /** The components' ids as characters. */
  readonly names: string;
};

/**
 * Walks the segments up to the first scan (ITU T.81, annex B); like libjpeg, it skips bytes between segments. The color
 * transform is found as in libjpeg: from the JFIF segment, then the Adobe segment, then the component ids.
 *
 * @param bytes The file; any bytes may follow the first two.
 * @throws {ImageError} If the file ends before the first scan, or the decoder does not support its kind.
 */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frame: Frame | undefined;
  let isJfif = false;
  let adobe: number | undefined;
  let orientation: Orientation | undefined;
  for (const { marker, start, content } of segments(bytes, 2)) {
    if (marker === START_OF_SCAN) {
      if (frame === undefined) break;
      if (countScans(bytes, start) > MAX_SCANS) {
        throw new ImageError(`the JPEG has more than ${MAX_SCANS} scans, save it again`);
      }
      const transform = colorTransform(frame, isJfif, adobe);
      const { names: _, ...shape } = frame;
      return { kind: "jpeg", ...shape, orientation: orientation ?? 1, transform, end: start };
    }
    if (isFrameHeader(marker)) frame ??= readFrame(view, content, marker);
    else if (marker === 0xe0 && startsWith(content, "JFIF\0")) isJfif = true;
    else if (marker === 0xe1 && startsWith(content, "Exif\0\0")) orientation ??= exifOrientation(content.subarray(6));
    else if (marker === 0xee && startsWith(content, "Adobe") && content.length >= 12) adobe = content[11];
  }
  throw new ImageError(`the JPEG is damaged: it has no ${frame === undefined ? "frame header" : "scan"}`);
}

/**
 * Reports a missing end marker. The bytes before the first scan are not searched: they may hold a thumbnail with its
 * own end marker.
 *
 * @param start Byte offset of the first scan.
 */
export function jpegEndsEarly(bytes: Uint8Array, start: number): boolean {
  for (let last = bytes.length - 2; last >= start; last--) {
    if (bytes[last] === 0xff && bytes[last + 1] === END_OF_IMAGE) return false;
  }
  return true;
}

interface Segment {
  readonly marker: number;
  /** Byte offset of its marker. */
  readonly start: number;
  /** The bytes after its length field. */
  readonly content: Uint8Array;
}

/** Stops at the end marker. A scan's content is its header; its samples are skipped. */
function* segments(bytes: Uint8Array, from: number): Generator<Segment, void, undefined> {
  let position = from;
  while (true) {
    position = bytes.indexOf(0xff, position);
    if (position === -1) throw jpegCutError();
    while (bytes[position] === 0xff) position++;
    const marker = bytes[position];
    if (marker === undefined) throw jpegCutError();
    const start = position - 1;
    position++;
    if (marker === 0 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) continue;
    if (marker === END_OF_IMAGE) return;
    if (position + 2 > bytes.length) throw jpegCutError();
    const length = (bytes[position] ?? 0) * 256 + (bytes[position + 1] ?? 0);
    if (length < 2) throw new ImageError("the JPEG is damaged: it has a segment shorter than its own length field");
    if (position + length > bytes.length) throw jpegCutError();
    yield { marker, start, content: bytes.subarray(position + 2, position + length) };
    position += length;
  }
}

function countScans(bytes: Uint8Array, from: number): number {
  let count = 0;
  try {
    for (const { marker } of segments(bytes, from)) if (marker === START_OF_SCAN) count++;
  } catch (error) {
    // The decoder reports what is wrong after the first scan.
    if (!(error instanceof ImageError)) throw error;
  }
  return count;
}

function isFrameHeader(marker: number): boolean {
  // Between the frame headers lie Huffman tables (C4), an extension (C8) and arithmetic conditioning (CC).
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function readFrame(file: DataView, content: Uint8Array, marker: number): Frame {
  if (marker > 0xc2) {
    throw new ImageError("the JPEG is lossless, hierarchical or arithmetic-coded, save it as a baseline JPEG");
  }
  const view = new DataView(file.buffer, content.byteOffset, content.byteLength);
  if (content.length < 6) throw new ImageError("the JPEG is damaged: its frame header is too short");
  const precision = view.getUint8(0);
  if (precision !== 8) throw new ImageError(`the JPEG has ${precision} bits a sample, save it with 8`);
  const [height, width, components] = [view.getUint16(1), view.getUint16(3), view.getUint8(5)];
  if (width < 1 || height < 1) throw new ImageError(`the JPEG is damaged: it declares ${width} x ${height} pixels`);
  if (components !== 1 && components !== 3 && components !== 4) {
    throw new ImageError(`the JPEG has ${components} components, save it in gray, RGB or CMYK`);
  }
  if (content.length < 6 + 3 * components) throw new ImageError("the JPEG is damaged: its frame header is too short");
  const factors = Array.from({ length: components }, (_, index) => {
    const both = view.getUint8(7 + 3 * index);
    return { across: both >> 4, down: both & 15 };
  });
  if (factors.some(({ across, down }) => across < 1 || across > 4 || down < 1 || down > 4)) {
    throw new ImageError("the JPEG is damaged: its sampling factors are wrong");
  }
  const unitsAcross = Math.ceil(width / (8 * Math.max(...factors.map(({ across }) => across))));
  const unitsDown = Math.ceil(height / (8 * Math.max(...factors.map(({ down }) => down))));
  const blocks = factors.reduce((sum, { across, down }) => sum + across * down, 0) * unitsAcross * unitsDown;
  const names = String.fromCharCode(...factors.map((_, index) => view.getUint8(6 + 3 * index)));
  return { width, height, components, progressive: marker === 0xc2, samples: 64 * blocks, names };
}

function colorTransform({ components, names }: Frame, isJfif: boolean, adobe: number | undefined): 0 | 1 | 2 {
  if (components === 4) return adobe === undefined || adobe === 0 ? 0 : 2;
  if (components === 1 || isJfif) return 1;
  if (adobe !== undefined) return adobe === 0 ? 0 : 1;
  return names === "RGB" ? 0 : 1;
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return [...text].every((letter, index) => bytes[index] === letter.charCodeAt(0));
}
