/**
 * Heat maps in JSON.
 *
 * @module
 */

/**
 * A map's numbers to four decimals: more would say nothing, and take most of an answer.
 *
 * @param heat The map, 0 to 1, row by row.
 * @returns The numbers.
 */
export function roundHeat(heat: Float32Array): number[] {
  return Array.from(heat, (value) => Math.round(1e4 * value) / 1e4);
}
