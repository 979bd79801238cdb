import type { Vocabulary } from "./vocabulary.ts";

/** Encodes a caption as the notebook does: truncated, and padded with `<pad>` to `length` ids. */
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
 * Encodes a caption as the lrcn recipe does: `<start>`, at most `maxLength` tokens, `<end>`, without padding.
 *
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
