/**
 * Tokens back to text.
 *
 * @module
 */

const CLINGS_TO_WORD_BEFORE = /^(?:[.,!?;:%)\]}]|n't|'(?:s|m|d|ll|re|ve)?|\.\.\.)$/;
const CLINGS_TO_WORD_AFTER = /^[([{$#]$/;

/**
 * Joins tokens with spaces where English has them.
 *
 * @param tokens Words and punctuation marks as the tokenizer splits them.
 * @returns The text.
 *
 * @example A contraction and a full stop
 * ```ts
 * import { detokenize } from "./detokenize.ts";
 *
 * console.log(detokenize(["a", "man", "'s", "dog", "does", "n't", "bark", "."])); // a man's dog doesn't bark.
 * ```
 */
export function detokenize(tokens: readonly string[]): string {
  let text = "";
  let clings = true;
  for (const token of tokens) {
    text += clings || CLINGS_TO_WORD_BEFORE.test(token) ? token : ` ${token}`;
    clings = CLINGS_TO_WORD_AFTER.test(token);
  }
  return text;
}
