/** Statistics of a set of captions. */
export interface CaptionStatistics {
  /** Fraction of distinct captions. */
  readonly distinctFraction: number;
  /** Number of distinct words. */
  readonly vocabularyUsed: number;
  /** Mean length in words. */
  readonly meanLength: number;
  /** Fraction of captions that equal no training caption; absent if those are unknown. */
  readonly novelFraction?: number;
}

/**
 * Computes statistics of captions.
 *
 * @param captions The tokens of each caption, at least one caption.
 * @param training The tokens of each training caption, if known.
 */
export function captionStatistics(
  captions: readonly (readonly string[])[],
  training?: Iterable<readonly string[]>,
): CaptionStatistics {
  const texts = captions.map((tokens) => tokens.join(" "));
  const known = training && new Set(Iterator.from(training).map((tokens) => tokens.join(" ")));
  return {
    distinctFraction: new Set(texts).size / texts.length,
    vocabularyUsed: new Set(captions.flat()).size,
    meanLength: captions.reduce((sum, { length }) => sum + length, 0) / captions.length,
    ...(known !== undefined && { novelFraction: texts.filter((text) => !known.has(text)).length / texts.length }),
  };
}
