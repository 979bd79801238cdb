/**
 * Sequences of neighboring words.
 *
 * @module
 */

/** The longest n-grams that scores look at. */
export const MAX_N = 4;

/**
 * Counts a caption's n-grams.
 *
 * @param tokens Its tokens; none holds a space.
 * @returns For n of 1 to 4, how often each n-gram stands in it; an n-gram's words are parted by spaces.
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
