/** Sizes of {@linkcode enlarge}. */
export interface EnlargeOptions {
  /** Rows of the input. */
  readonly rows: number;
  /** Columns of the input. */
  readonly columns: number;
  /** Rows of the output. */
  readonly height: number;
  /** Columns of the output. */
  readonly width: number;
}

/**
 * Bilinear interpolation, as PyTorch's `interpolate` without `align_corners`.
 *
 * @param values rows x columns.
 * @returns height x width.
 */
export function enlarge(values: ArrayLike<number>, options: EnlargeOptions): Float32Array<ArrayBuffer> {
  const { rows, columns, height, width } = options;
  const [down, across] = [between(rows, height), between(columns, width)];
  const enlarged = new Float32Array(height * width);
  const at = (row: number, column: number) => values[row * columns + column] ?? NaN;
  let next = 0;
  for (const { first: top, second: bottom, weight: lower } of down) {
    for (const { first: left, second: right, weight: further } of across) {
      enlarged[next++] = mix(
        mix(at(top, left), at(top, right), further),
        mix(at(bottom, left), at(bottom, right), further),
        lower,
      );
    }
  }
  return enlarged;
}

/** For each output index, the two input indices that it lies between and the weight of the second. */
function between(from: number, to: number): { first: number; second: number; weight: number }[] {
  return Array.from({ length: to }, (_, index) => {
    const position = Math.min(from - 1, Math.max(0, (index + 0.5) * from / to - 0.5));
    const first = Math.floor(position);
    return { first, second: Math.min(from - 1, first + 1), weight: position - first };
  });
}

function mix(one: number, other: number, weight: number): number {
  return one + (other - one) * weight;
}
