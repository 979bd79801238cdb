// Decodes a PNG (W3C PNG, 3rd edition) row by row: besides the file and the image it needs memory for two rows,
// whatever the compressed data would inflate to.

import { Unzlib } from "fflate";
import { ImageError } from "./image_error.ts";
import { pngChunks, pngCutError, pngEndsEarly, type PngHeader } from "./png_header.ts";
import { type PngColors, rowPainter } from "./png_colors.ts";
import { type Turn, turnOf } from "./turned_pixels.ts";

/** Compressed bytes inflated at once: they become at most a thousand times as many, 34 MB. */
const PIECE = 2 ** 15;
const WHOLE = { left: 0, top: 0, across: 1, down: 1 };
/** First column and row of each Adam7 pass, and its steps. */
const PASSES = [
  { left: 0, top: 0, across: 8, down: 8 },
  { left: 4, top: 0, across: 8, down: 8 },
  { left: 0, top: 4, across: 4, down: 8 },
  { left: 2, top: 0, across: 4, down: 4 },
  { left: 0, top: 2, across: 2, down: 4 },
  { left: 1, top: 0, across: 2, down: 2 },
  { left: 0, top: 1, across: 1, down: 2 },
];

/**
 * Decodes a PNG and applies the header's orientation. Transparency is blended over white, 16-bit samples keep their
 * upper byte, and color profiles are ignored. Returns R, G, B of each pixel.
 *
 * @throws {ImageError} If the file is truncated or damaged.
 */
export function decodePng(bytes: Uint8Array, header: PngHeader): Uint8Array<ArrayBuffer> {
  const { width, height, orientation } = header;
  const pixels = new Uint8Array(width * height * 3);
  const rows = new RowReader(header, pixels, turnOf(width, height, orientation));
  const inflate = new Unzlib((inflated) => {
    rows.push(inflated);
    // Freed at once instead of by the garbage collector: a large image has thousands of them.
    inflated.buffer.transfer(0);
  });
  const colors: PngColors = { palette: undefined, transparency: undefined };
  let started = false;
  for (const chunk of pngChunks(bytes)) {
    const { type, content } = chunk;
    if (rows.done || type === "IEND") break;
    if (type === "PLTE" || type === "tRNS") {
      if (!chunk.isWhole()) throw damaged("a checksum is wrong");
      if (!started) colors[type === "PLTE" ? "palette" : "transparency"] = content;
    } else if (type === "IDAT") {
      if (!chunk.isWhole()) throw damaged("a checksum is wrong");
      if (header.indexed && colors.palette === undefined) throw damaged("it has no palette");
      if (!started) rows.start(colors);
      started = true;
      for (let from = 0; from < content.length && !rows.done; from += PIECE) {
        inflatePiece(inflate, content.subarray(from, from + PIECE));
      }
    } else if (type !== "IHDR" && /^[A-Z]/.test(type)) {
      throw new ImageError("the PNG is damaged or of an unsupported kind, save it again");
    }
  }
  if (!rows.done) throw pngEndsEarly(bytes) ? pngCutError() : damaged("pixels are missing");
  return pixels;
}

function inflatePiece(inflate: Unzlib, piece: Uint8Array): void {
  try {
    inflate.push(piece);
  } catch (error) {
    if (error instanceof ImageError || !(error instanceof Error)) throw error;
    throw damaged("its pixels cannot be inflated");
  }
}

/** Cuts inflated bytes into rows, undoes their filters, and paints them. */
class RowReader {
  done = false;
  readonly #header: PngHeader;
  readonly #pixels: Uint8Array;
  readonly #turn: Turn;
  readonly #passes: typeof PASSES;
  readonly #step: number;
  #paint: ReturnType<typeof rowPainter> | undefined;
  #pass = -1;
  /** The row within the pass, and its pixels. */
  #y = 0;
  #width = 0;
  /** Filter type and bytes of the current row, and of the one above. */
  #row = new Uint8Array();
  #above = new Uint8Array();
  #filled = 0;

  constructor(header: PngHeader, pixels: Uint8Array, turn: Turn) {
    this.#header = header;
    this.#pixels = pixels;
    this.#turn = turn;
    this.#passes = header.interlaced ? PASSES : [WHOLE];
    this.#step = Math.max(1, header.components * header.depth >> 3);
    this.#nextPass();
  }

  start(colors: PngColors): void {
    this.#paint = rowPainter(this.#header, colors);
  }

  push(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length && !this.done;) {
      const count = Math.min(this.#row.length - this.#filled, bytes.length - from);
      this.#row.set(bytes.subarray(from, from + count), this.#filled);
      from += count;
      this.#filled += count;
      if (this.#filled === this.#row.length) this.#finishRow();
    }
  }

  #nextPass(): void {
    const { width, height, components, depth } = this.#header;
    while (++this.#pass < this.#passes.length) {
      const { left, top, across } = this.#passes[this.#pass] ?? WHOLE;
      this.#width = Math.ceil((width - left) / across);
      if (this.#width < 1 || top >= height) continue;
      const bytes = 1 + Math.ceil(this.#width * components * depth / 8);
      this.#row = new Uint8Array(bytes);
      this.#above = new Uint8Array(bytes);
      this.#filled = 0;
      this.#y = top;
      return;
    }
    this.done = true;
  }

  #finishRow(): void {
    const { left, across, down } = this.#passes[this.#pass] ?? WHOLE;
    undoFilter(this.#row, this.#above, this.#step);
    const { first, column, row } = this.#turn;
    const to = 3 * (first + left * column + this.#y * row);
    this.#paint?.(this.#row, this.#pixels, { count: this.#width, to, step: 3 * across * column });
    [this.#row, this.#above] = [this.#above, this.#row];
    this.#filled = 0;
    this.#y += down;
    if (this.#y >= this.#header.height) this.#nextPass();
  }
}

/** Undoes the filter named by the row's first byte (PNG, section 9.2), in place. */
function undoFilter(row: Uint8Array, above: Uint8Array, step: number): void {
  const length = row.length;
  switch (row[0]) {
    case 0:
      return;
    case 1:
      for (let at = step + 1; at < length; at++) row[at] = (row[at] ?? 0) + (row[at - step] ?? 0);
      return;
    case 2:
      for (let at = 1; at < length; at++) row[at] = (row[at] ?? 0) + (above[at] ?? 0);
      return;
    case 3:
      for (let at = 1; at < length; at++) {
        const left = at > step ? row[at - step] ?? 0 : 0;
        row[at] = (row[at] ?? 0) + ((left + (above[at] ?? 0)) >> 1);
      }
      return;
    case 4:
      for (let at = 1; at <= step && at < length; at++) row[at] = (row[at] ?? 0) + (above[at] ?? 0);
      for (let at = step + 1; at < length; at++) {
        row[at] = (row[at] ?? 0) + paeth(row[at - step] ?? 0, above[at] ?? 0, above[at - step] ?? 0);
      }
      return;
    default:
      throw damaged(`a row has filter ${row[0]}`);
  }
}

/** The Paeth predictor: left, up or corner, whichever is nearest to left + up - corner. */
function paeth(left: number, up: number, corner: number): number {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

function damaged(how: string): ImageError {
  return new ImageError(`the PNG is damaged: ${how}, fetch or copy the file again`);
}
