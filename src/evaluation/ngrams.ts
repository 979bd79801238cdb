/** Length of the longest n-grams. */
export const MAX_N = 4;

/**
 * Counts a caption's n-grams.
 *
 * @param tokens Its tokens; none contains a space.
 * @returns For n of 1 to 4, the count of each n-gram, its tokens joined by spaces.
 */
export function ngramCounts(tokens: readonly string[]): Map<string, number>[] {
  const counts = Array.from({ length: MAX_N }, () => new Map<string, number>());
  for (let start = 0; start < tokens.length; start++) {
    let ngram = "";
    for (let n = 0; n < MAX_N && start + n < tokens.length; n++) {
      ngram = n === 0 ? tokens[start] ?? "" : `${ngram} ${tokens[start + n]}`;
      const ofLength = counts[n];
      ofLength?.set(ngram, (ofLength.get(ngram) ?? 0) + 1);
    }
  }
  return counts;
}
