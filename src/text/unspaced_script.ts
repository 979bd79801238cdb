import { unicodeTokens } from "./unicode_tokenizer.ts";

/** Chinese, Japanese, Thai, Lao, Khmer and Burmese. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
/** Words in a token on average, above which tokens are sentences: texts that were split into words before have about one. */
const WORDS_IN_A_TOKEN = 2.5;
/** Tokens that are looked into. */
const ENOUGH = 2000;

/**
 * The fraction of captions in a script without spaces between words whose tokens are sentences instead of words.
 *
 * @param captions The tokens of each caption.
 * @returns 0 if the text has spaces between words although its script needs none.
 */
export function unsplitFraction(captions: readonly (readonly string[])[]): number {
  let [unspaced, tokens, words] = [0, 0, 0];
  for (const caption of captions) {
    const own = caption.filter((token) => UNSPACED.test(token));
    if (own.length > 0) unspaced++;
    for (const token of tokens < ENOUGH ? own : []) {
      tokens++;
      words += unicodeTokens(token).filter((word) => UNSPACED.test(word)).length;
    }
  }
  return words > WORDS_IN_A_TOKEN * tokens ? unspaced / captions.length : 0;
}
