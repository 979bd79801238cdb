/**
 * Writing a picture's pixels to where they stand after turning.
 *
 * @module
 */

import type { Orientation } from "./exif_orientation.ts";

/** Where the pixel of stored column x and row y belongs: at `first + x * column + y * row`, in pixels. */
export interface Turn {
  /** Pixels in a row of the turned picture. */
  readonly width: number;
  /** Rows of the turned picture. */
  readonly height: number;
  /** Where the stored picture's first pixel belongs. */
  readonly first: number;
  /** From a stored pixel to its right neighbor. */
  readonly column: number;
  /** From a stored pixel to the one below. */
  readonly row: number;
}

/**
 * How a stored picture is turned.
 *
 * @param width Pixels in a stored row.
 * @param height Stored rows.
 * @param orientation What its EXIF data say.
 */
export function turnOf(width: number, height: number, orientation: Orientation): Turn {
  const upright = { width, height };
  const lying = { width: height, height: width };
  const last = width * height - 1;
  switch (orientation) {
    case 1:
      return { ...upright, first: 0, column: 1, row: width };
    case 2:
      return { ...upright, first: width - 1, column: -1, row: width };
    case 3:
      return { ...upright, first: last, column: -1, row: -width };
    case 4:
      return { ...upright, first: last - width + 1, column: 1, row: -width };
    case 5:
      return { ...lying, first: 0, column: height, row: 1 };
    case 6:
      return { ...lying, first: height - 1, column: height, row: -1 };
    case 7:
      return { ...lying, first: last, column: -height, row: -1 };
    case 8:
      return { ...lying, first: last - height + 1, column: -height, row: 1 };
  }
}
