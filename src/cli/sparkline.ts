/**
 * Curves in a line of text.
 *
 * @module
 */

const BLOCKS = "▁▂▃▄▅▆▇█";
const WIDTH = 40;

/**
 * Draws numbers as blocks from the least to the greatest; of many numbers as many as a line holds.
 *
 * @param values The numbers; one that is none leaves a gap.
 * @returns A character for each that is drawn.
 */
export function sparkline(values: readonly number[]): string {
  const shown = Array.from(
    { length: Math.min(WIDTH, values.length) },
    (_, index) => values[Math.floor(index * values.length / Math.min(WIDTH, values.length))] ?? NaN,
  );
  const finite = shown.filter(Number.isFinite);
  const [least, most] = [Math.min(...finite), Math.max(...finite)];
  return shown.map((value) => {
    if (!Number.isFinite(value)) return " ";
    const share = most > least ? (value - least) / (most - least) : 0;
    return BLOCKS[Math.round(share * (BLOCKS.length - 1))];
  }).join("");
}
