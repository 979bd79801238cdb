/**
 * Values of a grid between its places.
 *
 * @module
 */

/** A grid of values and the size that it shall have. */
export interface EnlargeOptions {
  /** Rows of the grid. */
  readonly rows: number;
  /** Places in a row. */
  readonly columns: number;
  /** Rows to make. */
  readonly height: number;
  /** Places in each of these. */
  readonly width: number;
}

/**
 * Enlarges a grid smoothly: between the middles of its places values go straight from one to the next, outside them they
 * stay (bilinear, as PyTorch's `interpolate` without `align_corners`).
 *
 * @param values rows x columns.
 * @param options See {@linkcode EnlargeOptions}.
 * @returns height x width.
 */
export function enlarge(values: ArrayLike<number>, options: EnlargeOptions): Float32Array<ArrayBuffer> {
  const { rows, columns, height, width } = options;
  const [down, across] = [between(rows, height), between(columns, width)];
  const enlarged = new Float32Array(height * width);
  const at = (row: number, column: number) => values[row * columns + column] ?? NaN;
  let next = 0;
  for (const { first: top, second: bottom, share: lower } of down) {
    for (const { first: left, second: right, share: further } of across) {
      enlarged[next++] = mix(
        mix(at(top, left), at(top, right), further),
        mix(at(bottom, left), at(bottom, right), further),
        lower,
      );
    }
  }
  return enlarged;
}

/** For each new place, the two old ones that it lies between and the share of the second. */
function between(from: number, to: number): { first: number; second: number; share: number }[] {
  return Array.from({ length: to }, (_, index) => {
    const place = Math.min(from - 1, Math.max(0, (index + 0.5) * from / to - 0.5));
    const first = Math.floor(place);
    return { first, second: Math.min(from - 1, first + 1), share: place - first };
  });
}

function mix(one: number, other: number, share: number): number {
  return one + (other - one) * share;
}
