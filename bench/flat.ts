/** Growth that is noise: caches, the garbage collector, pages of the allocator. */
const MOST_GROWTH = 0.05;

/**
 * Tells whether a process's memory is flat: in the first quarter of the time it fills its caches; from the second to the
 * last, the median grows by at most 5%.
 *
 * @param memory Samples at equal intervals, at least four.
 * @returns The growth as a fraction of the second quarter's median.
 */
export function isFlat(memory: readonly number[]): { readonly flat: boolean; readonly growth: number } {
  const quarter = Math.floor(memory.length / 4);
  const growth = median(memory.slice(-quarter)) / median(memory.slice(quarter, 2 * quarter)) - 1;
  return { flat: growth <= MOST_GROWTH, growth };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
