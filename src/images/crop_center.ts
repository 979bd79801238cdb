/**
 * Cutting the center out of a square of pixels.
 *
 * @module
 */

/**
 * Copies the center of a square. Where it is off the middle by half a pixel, it begins at the even row and column, as
 * torchvision's CenterCrop does.
 *
 * @param pixels The square: square x square x 3.
 * @param into Filled: side x side x 3.
 * @throws {RangeError} If a length is no such number, or the part is the larger one.
 */
export function centerCrop(pixels: Uint8Array, into: Uint8Array): void {
  const [square, side] = [Math.sqrt(pixels.length / 3), Math.sqrt(into.length / 3)];
  if (![square, side].every(Number.isInteger)) {
    throw new RangeError(`Cannot crop: ${pixels.length} and ${into.length} bytes are not those of squares`);
  }
  if (side > square) throw new RangeError(`Cannot crop: a part of ${side} is not inside ${square}`);
  const start = halfToEven(square - side);
  for (let y = 0; y < side; y++) {
    const from = ((start + y) * square + start) * 3;
    into.set(pixels.subarray(from, from + side * 3), y * side * 3);
  }
}

/** Half of a whole number, to the even neighbor where it is between two. */
function halfToEven(twice: number): number {
  const down = Math.floor(twice / 2);
  return twice % 2 === 1 && down % 2 === 1 ? down + 1 : down;
}
