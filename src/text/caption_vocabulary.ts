import { END, PAD, START, UNKNOWN } from "./vocabulary.ts";

/**
 * A vocabulary whose special words may have any id, or be missing. `Vocabulary` is one; other programs number them
 * differently.
 */
export interface CaptionVocabulary {
  /** The words in the order of their ids. */
  readonly words: readonly string[];
  /** The id of the padding, if any. */
  readonly pad: number | undefined;
  /** The id for unknown words, if any. */
  readonly unknown: number | undefined;
  /** The id before a caption, if any. */
  readonly start: number | undefined;
  /** The id after a caption, if any. */
  readonly end: number | undefined;
}

/**
 * Finds the special words by name: `<pad>`, `<unk>`, `<start>` and `<end>`.
 *
 * @example Special words with the last ids
 * ```ts
 * import assert from "node:assert/strict";
 * import { findSpecialWords } from "./caption_vocabulary.ts";
 *
 * const { start, pad } = findSpecialWords(["a", "dog", "<start>", "<end>"]);
 * assert.deepEqual([start, pad], [2, undefined]);
 * ```
 */
export function findSpecialWords(words: readonly string[]): CaptionVocabulary {
  const [pad, unknown, start, end] = [PAD, UNKNOWN, START, END].map((word) => {
    const id = words.indexOf(word);
    return id < 0 ? undefined : id;
  });
  return { words, pad, unknown, start, end };
}

/**
 * Looks a word up as it is, and with its accents in Unicode's composed and decomposed form: vocabularies of other programs
 * have either.
 */
export function findInEitherForm<Found>(
  word: string,
  find: (word: string) => Found | undefined,
): Found | undefined {
  return find(word) ?? find(word.normalize("NFC")) ?? find(word.normalize("NFD"));
}
