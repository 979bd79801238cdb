import type { PngHeader } from "./png_header.ts";

/** The chunks that define colors. */
export interface PngColors {
  /** `PLTE`: R, G, B of each entry. */
  palette: Uint8Array | undefined;
  /** `tRNS`: the opacity of each palette entry, or the one transparent gray or color as 16-bit samples. */
  transparency: Uint8Array | undefined;
}

/** The output position of a row's pixels, in bytes. */
export interface RowTarget {
  /** Number of pixels. */
  readonly count: number;
  /** Offset of the first pixel's R. */
  readonly to: number;
  /** Distance between two pixels. */
  readonly step: number;
}

/** Writes R, G, B of a row, whose samples begin at byte 1. */
export type RowPainter = (row: Uint8Array, pixels: Uint8Array, target: RowTarget) => void;

export function rowPainter(header: PngHeader, colors: PngColors): RowPainter {
  if (header.components === 1) {
    const table = header.indexed ? paletteTable(colors) : grayTable(header.depth, colors.transparency);
    if (header.depth === 16) return paintDeepGray(table, colors.transparency);
    return header.depth === 8 ? paintBytes(table) : paintBits(table, header.depth);
  }
  const bytes = header.depth >> 3;
  if (header.components === 3) {
    const clear = transparentBytes(colors.transparency, 3, bytes);
    return (row, pixels, target) => paintColors(row, pixels, { ...target, bytes, clear });
  }
  const components = header.components;
  return (row, pixels, target) => paintOverWhite(row, pixels, { ...target, bytes, components });
}

/** Blends a color over white. */
function overWhite(value: number, alpha: number): number {
  return Math.round((value * alpha + 255 * (255 - alpha)) / 255);
}

/** R, G, B of each palette entry; black beyond the palette's end, as in libpng. */
function paletteTable({ palette, transparency }: PngColors): Uint8Array {
  const table = new Uint8Array(768);
  for (let entry = 0; entry < 256; entry++) {
    const alpha = transparency?.[entry] ?? 255;
    for (let at = 3 * entry; at < 3 * entry + 3; at++) table[at] = overWhite(palette?.[at] ?? 0, alpha);
  }
  return table;
}

/** R, G, B of each sample value. */
function grayTable(depth: number, transparency: Uint8Array | undefined): Uint8Array {
  const table = new Uint8Array(768);
  const highest = depth === 16 ? 255 : 2 ** depth - 1;
  for (let sample = 0; sample <= highest; sample++) {
    table.fill(Math.round(sample * 255 / highest), 3 * sample, 3 * sample + 3);
  }
  if (depth < 16 && transparency !== undefined && transparency.length >= 2) {
    const clear = (transparency[0] ?? 0) * 256 + (transparency[1] ?? 0);
    if (clear <= highest) table.fill(255, 3 * clear, 3 * clear + 3);
  }
  return table;
}

function paintBytes(table: Uint8Array): RowPainter {
  return (row, pixels, { count, to, step }) => {
    for (let x = 0, at = to; x < count; x++, at += step) {
      const from = 3 * (row[1 + x] ?? 0);
      pixels[at] = table[from] ?? 0;
      pixels[at + 1] = table[from + 1] ?? 0;
      pixels[at + 2] = table[from + 2] ?? 0;
    }
  };
}

function paintBits(table: Uint8Array, depth: number): RowPainter {
  const mask = 2 ** depth - 1;
  return (row, pixels, { count, to, step }) => {
    for (let x = 0, at = to; x < count; x++, at += step) {
      const bit = x * depth;
      const from = 3 * (((row[1 + (bit >> 3)] ?? 0) >> (8 - depth - (bit & 7))) & mask);
      pixels[at] = table[from] ?? 0;
      pixels[at + 1] = table[from + 1] ?? 0;
      pixels[at + 2] = table[from + 2] ?? 0;
    }
  };
}

function paintDeepGray(table: Uint8Array, transparency: Uint8Array | undefined): RowPainter {
  const clear = transparentBytes(transparency, 1, 2);
  return (row, pixels, { count, to, step }) => {
    for (let x = 0, from = 1, at = to; x < count; x++, from += 2, at += step) {
      const isClear = clear !== undefined && row[from] === clear[0] && row[from + 1] === clear[1];
      pixels.fill(isClear ? 255 : table[3 * (row[from] ?? 0)] ?? 0, at, at + 3);
    }
  };
}

function paintColors(
  row: Uint8Array,
  pixels: Uint8Array,
  { count, to, step, bytes, clear }: RowTarget & { bytes: number; clear: Uint8Array | undefined },
): void {
  for (let x = 0, from = 1, at = to; x < count; x++, from += 3 * bytes, at += step) {
    if (clear !== undefined && clear.every((value, index) => row[from + index] === value)) {
      pixels.fill(255, at, at + 3);
      continue;
    }
    pixels[at] = row[from] ?? 0;
    pixels[at + 1] = row[from + bytes] ?? 0;
    pixels[at + 2] = row[from + 2 * bytes] ?? 0;
  }
}

function paintOverWhite(
  row: Uint8Array,
  pixels: Uint8Array,
  { count, to, step, bytes, components }: RowTarget & { bytes: number; components: number },
): void {
  const green = components === 4 ? bytes : 0;
  const opacity = (components - 1) * bytes;
  for (let x = 0, from = 1, at = to; x < count; x++, from += components * bytes, at += step) {
    const alpha = row[from + opacity] ?? 255;
    pixels[at] = overWhite(row[from] ?? 0, alpha);
    pixels[at + 1] = overWhite(row[from + green] ?? 0, alpha);
    pixels[at + 2] = overWhite(row[from + 2 * green] ?? 0, alpha);
  }
}

/** The transparent color as it appears in a row, or undefined. */
function transparentBytes(
  transparency: Uint8Array | undefined,
  components: number,
  bytes: number,
): Uint8Array | undefined {
  if (transparency === undefined || transparency.length < 2 * components) return undefined;
  if (bytes === 2) return transparency.slice(0, 2 * components);
  // With 8-bit samples, a row holds only the lower byte.
  return Uint8Array.from({ length: components }, (_, index) => transparency[2 * index + 1] ?? 0);
}
