/**
 * Words with their special ones, wherever those stand.
 *
 * @module
 */

import { END, PAD, START, UNKNOWN } from "./vocabulary.ts";

/** The words that captions are written with. A `Vocabulary` is one; another program's has its special words elsewhere. */
export interface CaptionVocabulary {
  /** The words in the order of their ids. */
  readonly words: readonly string[];
  /** The id of what fills short captions, where there is one. */
  readonly pad: number | undefined;
  /** The id of what stands for unknown words, where there is one. */
  readonly unknown: number | undefined;
  /** The id of what stands before a caption, where there is one. */
  readonly start: number | undefined;
  /** The id of what stands after a caption, where there is one. */
  readonly end: number | undefined;
}

/**
 * Finds the special words by their names: `<pad>`, `<unk>`, `<start>` and `<end>`.
 *
 * @param words The words in the order of their ids.
 * @returns The words with the special ones' ids.
 *
 * @example Special words that stand last
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
