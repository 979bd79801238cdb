import type { Orientation } from "./exif_orientation.ts";

/** The oriented position of the pixel at stored column x and row y: `first + x * column + y * row`, in pixels. */
export interface Turn {
  /** Pixels in an oriented row. */
  readonly width: number;
  /** Oriented rows. */
  readonly height: number;
  /** Position of the first stored pixel. */
  readonly first: number;
  /** Step from a stored pixel to its right neighbor. */
  readonly column: number;
  /** Step from a stored pixel to the one below. */
  readonly row: number;
}

/** The {@linkcode Turn} of an image of `width` x `height` stored pixels. */
export function turnOf(width: number, height: number, orientation: Orientation): Turn {
  const upright = { width, height };
  const transposed = { width: height, height: width };
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
      return { ...transposed, first: 0, column: height, row: 1 };
    case 6:
      return { ...transposed, first: height - 1, column: height, row: -1 };
    case 7:
      return { ...transposed, first: last, column: -height, row: -1 };
    case 8:
      return { ...transposed, first: last - height + 1, column: -height, row: 1 };
  }
}
