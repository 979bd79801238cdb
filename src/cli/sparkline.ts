const BLOCKS = "▁▂▃▄▅▆▇█";
const WIDTH = 40;

/** Draws values as a line of at most 40 blocks, scaled from minimum to maximum. NaN leaves a gap. */
export function sparkline(values: readonly number[]): string {
  const shown = Array.from(
    { length: Math.min(WIDTH, values.length) },
    (_, index) => values[Math.floor(index * values.length / Math.min(WIDTH, values.length))] ?? NaN,
  );
  const finite = shown.filter(Number.isFinite);
  const [least, most] = [Math.min(...finite), Math.max(...finite)];
  return shown.map((value) => {
    if (!Number.isFinite(value)) return " ";
    const height = most > least ? (value - least) / (most - least) : 0;
    return BLOCKS[Math.round(height * (BLOCKS.length - 1))];
  }).join("");
}
