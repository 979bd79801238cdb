/**
 * Copies the center crop of a square image. If the margins differ by one pixel, the crop starts at the even row and
 * column, as in torchvision's CenterCrop.
 *
 * @param pixels size x size x 3.
 * @param into Receives side x side x 3.
 * @throws {RangeError} If a length does not fit a square, or the crop is larger than the image.
 */
export function centerCrop(pixels: Uint8Array, into: Uint8Array): void {
  const [size, side] = [Math.sqrt(pixels.length / 3), Math.sqrt(into.length / 3)];
  if (![size, side].every(Number.isInteger)) {
    throw new RangeError(`Cannot crop: ${pixels.length} and ${into.length} bytes do not form square images`);
  }
  if (side > size) throw new RangeError(`Cannot crop: a crop of ${side} does not fit into ${size}`);
  const start = halfToEven(size - side);
  for (let y = 0; y < side; y++) {
    const from = ((start + y) * size + start) * 3;
    into.set(pixels.subarray(from, from + side * 3), y * side * 3);
  }
}

/** Half of an integer, rounded to even. */
export function halfToEven(twice: number): number {
  const down = Math.floor(twice / 2);
  return twice % 2 === 1 && down % 2 === 1 ? down + 1 : down;
}
