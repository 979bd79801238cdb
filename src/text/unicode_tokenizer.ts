// Every locale uses the dictionaries for scripts without spaces; a fixed one gives the same tokens on each machine.
const segmenter = new Intl.Segmenter("en", { granularity: "word" });

/** White space, control characters, and zero-width marks between words. */
const gap = /[\p{White_Space}\p{Cc}\u200b\ufeff]+/u;
const plainWord = /^[a-z0-9]+$/;
const visible = /\P{Default_Ignorable_Code_Point}/u;

/**
 * Splits a text into lower-case tokens in Unicode normalization form NFC by Unicode's word boundaries (UAX #29): words,
 * numbers and punctuation marks, without white space. Scripts without spaces (Chinese, Japanese, Thai, ...) use the
 * dictionaries of Deno's ICU.
 */
export function unicodeTokens(text: string): string[] {
  const tokens: string[] = [];
  for (const part of text.toLowerCase().normalize("NFC").split(gap)) {
    if (plainWord.test(part)) tokens.push(part); // a shortcut
    else for (const { segment } of segmenter.segment(part)) if (visible.test(segment)) tokens.push(segment);
  }
  return tokens;
}
