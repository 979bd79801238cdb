/**
 * Tokens of a caption to the fixed numbers that a model learns from.
 *
 * @module
 */

import type { Vocabulary } from "./vocabulary.ts";

/**
 * A caption as the notebook encodes it: cut, and padded with `<pad>` to one length.
 *
 * @param tokens The caption's tokens.
 * @param vocabulary The words' ids.
 * @param length How many ids come back.
 * @returns `length` ids.
 */
export function notebookCaption(
  tokens: readonly string[],
  vocabulary: Vocabulary,
  length = 30,
): Int32Array<ArrayBuffer> {
  const ids = new Int32Array(length).fill(vocabulary.pad);
  ids.set(vocabulary.encode(tokens.slice(0, length)));
  return ids;
}

/**
 * A caption as the lrcn recipe encodes it: `<start>`, at most `maxLength` words, `<end>`; nothing is padded.
 *
 * @param tokens The caption's tokens.
 * @param vocabulary The words' ids, `<start>` and `<end>` among them.
 * @param maxLength How many words are kept.
 * @returns As many ids as words are kept, and two more.
 * @throws {TypeError} If the vocabulary has no `<start>` and `<end>`.
 */
export function lrcnCaption(
  tokens: readonly string[],
  vocabulary: Vocabulary,
  maxLength = 20,
): Int32Array<ArrayBuffer> {
  const { start, end } = vocabulary;
  if (start === undefined || end === undefined) {
    throw new TypeError("Cannot encode caption: the vocabulary has no <start> and <end>");
  }
  return Int32Array.of(start, ...vocabulary.encode(tokens.slice(0, maxLength)), end);
}
