/**
 * What splits captions into the words that scores compare.
 *
 * @module
 */

import { type TokenizerName, tokenizerOf } from "../text/tokenizer.ts";
import { ptbTokenize } from "../text/ptb/tokenizer.ts";

/** A way to split captions before they are scored: COCO's, or by Unicode's word boundaries for other scripts. */
export type ScoringTokenizer = "ptb" | "unicode";

/** Words that are no words. */
const PUNCTUATION = /^[^\p{L}\p{N}<]+$/u;

/**
 * How captions of a model are split: those of one that writes other scripts by Unicode's boundaries, which scores are then
 * to be compared with none of the field's by.
 *
 * @param tokenizer What splits the captions that the model learns from.
 */
export function scoringTokenizer(tokenizer: TokenizerName): ScoringTokenizer {
  return tokenizer === "nltk" ? "ptb" : "unicode";
}

/**
 * The function that splits captions in a way, into words without punctuation.
 *
 * @param name The way.
 */
export function scoringTokens(name: ScoringTokenizer): (caption: string) => string[] {
  if (name === "ptb") return ptbTokenize;
  const tokenize = tokenizerOf("unicode");
  return (caption) => tokenize(caption).filter((token) => !PUNCTUATION.test(token));
}
