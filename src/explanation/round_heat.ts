/** Rounds a heat map to four decimals, to keep JSON small. */
export function roundHeat(heat: Float32Array): number[] {
  return Array.from(heat, (value) => Math.round(1e4 * value) / 1e4);
}
