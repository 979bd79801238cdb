/**
 * What captions are like, apart from whether they are right.
 *
 * @module
 */

/** Numbers of a set of captions. */
export interface CaptionStatistics {
  /** Share of different captions. */
  readonly distinctFraction: number;
  /** Different words in them. */
  readonly vocabularyUsed: number;
  /** Mean length in words. */
  readonly meanLength: number;
  /** Share of captions that no training caption equals; absent where those are not known. */
  readonly novelFraction?: number;
}

/**
 * Counts captions and their words.
 *
 * @param captions The tokens of each caption, at least one caption.
 * @param training The tokens of each training caption, where they are known.
 * @returns The numbers.
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
