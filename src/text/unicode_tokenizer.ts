/**
 * Tokens by Unicode's word boundaries (UAX #29), which every script has.
 *
 * @module
 */

// Dictionaries for scripts without spaces are used in every locale; a fixed one gives the same tokens on each machine.
const segmenter = new Intl.Segmenter("en", { granularity: "word" });

/** White space, control characters, and the marks without width that stand between words. */
const gap = /[\p{White_Space}\p{Cc}\u200b\ufeff]+/u;
const plainWord = /^[a-z0-9]+$/;
const visible = /\P{Default_Ignorable_Code_Point}/u;

/**
 * Splits a text into lower-case tokens in Unicode's form NFC: words, numbers and punctuation marks. Words of scripts that
 * write no spaces (Chinese, Japanese, Thai, ...) are found in the dictionaries of ICU, which Deno brings.
 *
 * @param text Any text.
 * @returns The tokens in their order; none for a blank text. None holds white space.
 */
export function unicodeTokens(text: string): string[] {
  const tokens: string[] = [];
  for (const part of text.toLowerCase().normalize("NFC").split(gap)) {
    if (plainWord.test(part)) tokens.push(part); // a shortcut
    else for (const { segment } of segmenter.segment(part)) if (visible.test(segment)) tokens.push(segment);
  }
  return tokens;
}
