/**
 * Cutting a part out of a square of pixels.
 *
 * @module
 */

import type { Crop } from "../epoch_plan.ts";

/**
 * The part in the centre. Where it is off the middle by half a pixel, it begins at the even row and column, as torchvision's
 * CenterCrop does.
 *
 * @param square Side of the square in pixels.
 * @param side Side of the part.
 */
export function centreCrop(square: number, side: number): Crop {
  const twice = square - side;
  const down = Math.floor(twice / 2);
  const middle = twice % 2 === 1 && down % 2 === 1 ? down + 1 : down;
  return { top: middle, left: middle, flip: false };
}

/**
 * Copies a part of a square.
 *
 * @param pixels The square: square x square x 3.
 * @param crop Where the part lies, and whether it is mirrored.
 * @param into Filled: side x side x 3.
 * @throws {RangeError} If a length is no such number, or the part is not inside the square.
 */
export function cropSquare(pixels: Uint8Array, { top, left, flip }: Crop, into: Uint8Array): void {
  const [square, side] = [Math.sqrt(pixels.length / 3), Math.sqrt(into.length / 3)];
  if (![square, side].every(Number.isInteger)) {
    throw new RangeError(`Cannot crop: ${pixels.length} and ${into.length} bytes are not those of squares`);
  }
  if (![top, left].every((offset) => Number.isInteger(offset) && offset >= 0 && offset <= square - side)) {
    throw new RangeError(`Cannot crop: a part of ${side} at ${top}, ${left} is not inside ${square}`);
  }
  for (let y = 0; y < side; y++) {
    const start = ((top + y) * square + left) * 3;
    into.set(pixels.subarray(start, start + side * 3), y * side * 3);
  }
  if (flip) mirror(into, side);
}

/** Exchanges left and right of side x side x 3 bytes. */
function mirror(pixels: Uint8Array, side: number): void {
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < Math.floor(side / 2); x++) {
      const [one, other] = [(y * side + x) * 3, (y * side + side - 1 - x) * 3];
      const kept = pixels.slice(one, one + 3);
      pixels.copyWithin(one, other, other + 3);
      pixels.set(kept, other);
    }
  }
}
