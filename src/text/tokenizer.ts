import { nltkTokens } from "./nltk_tokenizer.ts";
import { unicodeTokens } from "./unicode_tokenizer.ts";

/**
 * The names of the tokenizers: NLTK's for English, and Unicode's word boundaries for every language.
 *
 * @example One caption, two tokenizers
 * ```ts
 * import assert from "node:assert/strict";
 * import { tokenizerOf, TOKENIZERS } from "@lrcn/lrcn/data";
 *
 * const tokens = TOKENIZERS.map((name) => tokenizerOf(name)("It isn't red."));
 * assert.deepEqual(tokens, [["it", "is", "n't", "red", "."], ["it", "isn't", "red", "."]]);
 * ```
 */
export const TOKENIZERS = ["nltk", "unicode"] as const;

/** The name of a tokenizer. */
export type TokenizerName = typeof TOKENIZERS[number];

const tokenizers: Readonly<Record<TokenizerName, (caption: string) => string[]>> = {
  nltk: nltkTokens,
  unicode: unicodeTokens,
};

/**
 * The tokenizer with a name: a function from a caption to its lower-case tokens.
 *
 * @example Tokens of a Japanese caption
 * ```ts
 * import assert from "node:assert/strict";
 * import { tokenizerOf } from "@lrcn/lrcn/data";
 *
 * assert.deepEqual(tokenizerOf("unicode")("赤い傘と犬。"), ["赤い", "傘", "と", "犬", "。"]);
 * ```
 */
export function tokenizerOf(name: TokenizerName): (caption: string) => string[] {
  return tokenizers[name];
}

/**
 * Splits a caption into lower-case tokens: words, clitics, numbers and punctuation marks. Equal to NLTK 3.10.4's
 * `word_tokenize(caption.lower())` with its English sentence model.
 *
 * @example Tokens of a caption
 * ```ts
 * import assert from "node:assert/strict";
 * import { tokenize } from "@lrcn/lrcn/data";
 *
 * const tokens = tokenize("The dog's ball isn't red.");
 * assert.deepEqual(tokens, ["the", "dog", "'s", "ball", "is", "n't", "red", "."]);
 * ```
 */
export function tokenize(caption: string): string[] {
  return nltkTokens(caption);
}
