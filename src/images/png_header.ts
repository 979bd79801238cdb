import { crc32 } from "node:zlib";
import { exifOrientation, type Orientation } from "./exif_orientation.ts";
import { ImageError } from "./image_error.ts";

export interface PngHeader {
  readonly kind: "png";
  /** Pixels in a stored row. */
  readonly width: number;
  /** Stored rows. */
  readonly height: number;
  readonly orientation: Orientation;
  /** Samples per pixel in the file: 1 gray or palette index, 2 gray and alpha, 3 color, 4 color and alpha. */
  readonly components: 1 | 2 | 3 | 4;
  /** Bits per sample. */
  readonly depth: number;
  /** Samples are palette indices. */
  readonly indexed: boolean;
  /** Pixels are stored in the seven passes of Adam7. */
  readonly interlaced: boolean;
  /** Byte offset of the first chunk after the header. */
  readonly end: number;
}

export interface PngChunk {
  /** Four letters. */
  readonly type: string;
  /** A view of the file. */
  readonly content: Uint8Array;
  /** Verifies the checksum. */
  isWhole(): boolean;
}

const SIGNATURE_BYTES = 8;
/** Samples per pixel and allowed depths, by color type (PNG, table 11.1). */
const COLOR_TYPES: Readonly<Record<number, { components: 1 | 2 | 3 | 4; depths: readonly number[] }>> = {
  0: { components: 1, depths: [1, 2, 4, 8, 16] },
  2: { components: 3, depths: [8, 16] },
  3: { components: 1, depths: [1, 2, 4, 8] },
  4: { components: 2, depths: [8, 16] },
  6: { components: 4, depths: [8, 16] },
};

export function pngCutError(): ImageError {
  return new ImageError("the PNG ends too early, fetch or copy the file again");
}

/**
 * Iterates over the chunks, up to the end chunk or the first truncated one.
 *
 * @param bytes The file; any bytes may follow its first eight.
 */
export function* pngChunks(bytes: Uint8Array): Generator<PngChunk, void, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // A chunk is its length, a type of four letters, its content, and four bytes of checksum.
  for (let position = SIGNATURE_BYTES; position + 12 <= bytes.length;) {
    const length = view.getUint32(position);
    const end = position + 8 + length;
    if (end + 4 > bytes.length) return;
    const covered = bytes.subarray(position + 4, end);
    const type = String.fromCharCode(...covered.subarray(0, 4));
    yield { type, content: covered.subarray(4), isWhole: () => crc32(covered) === view.getUint32(end) };
    if (type === "IEND") return;
    position = end + 4;
  }
}

export function pngEndsEarly(bytes: Uint8Array): boolean {
  for (const { type } of pngChunks(bytes)) if (type === "IEND") return false;
  return true;
}

/**
 * Reads the header, and the orientation wherever it is in the file.
 *
 * @param bytes The file; any bytes may follow its first eight.
 * @throws {ImageError} If it is truncated or wrong.
 */
export function readPngHeader(bytes: Uint8Array): PngHeader {
  const end = SIGNATURE_BYTES + 25;
  if (bytes.length < end) throw pngCutError();
  const chunks = pngChunks(bytes);
  const first = chunks.next().value;
  if (first?.type !== "IHDR" || first.content.length !== 13) throw wrongHeader();
  const view = new DataView(first.content.buffer, first.content.byteOffset, first.content.byteLength);
  const [width, height, depth] = [view.getUint32(0), view.getUint32(4), view.getUint8(8)];
  const colorType = view.getUint8(9);
  const kind = COLOR_TYPES[colorType];
  const [compression, filter, interlace] = first.content.subarray(10);
  if (!kind?.depths.includes(depth) || compression !== 0 || filter !== 0 || interlace === undefined || interlace > 1) {
    throw wrongHeader();
  }
  if (width < 1 || height < 1) throw new ImageError(`the PNG is damaged: it declares ${width} x ${height} pixels`);
  let orientation: Orientation = 1;
  for (const { type, content } of chunks) {
    if (type !== "eXIf") continue;
    orientation = exifOrientation(content);
    break;
  }
  return {
    kind: "png",
    width,
    height,
    orientation,
    components: kind.components,
    depth,
    indexed: colorType === 3,
    interlaced: interlace === 1,
    end,
  };
}

function wrongHeader(): ImageError {
  return new ImageError("the PNG is damaged: its header is wrong");
}
