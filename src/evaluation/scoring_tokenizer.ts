import { type TokenizerName, tokenizerOf } from "../text/tokenizer.ts";
import { ptbTokenize } from "../text/ptb/tokenizer.ts";

/** The tokenizer for scoring: COCO's Penn Treebank tokenizer, or Unicode word boundaries for other scripts. */
export type ScoringTokenizer = "ptb" | "unicode";

const PUNCTUATION = /^[^\p{L}\p{N}<]+$/u;

/** The tokenizer for scoring a model's captions; scores with `unicode` are not comparable with published ones. */
export function scoringTokenizer(tokenizer: TokenizerName): ScoringTokenizer {
  return tokenizer === "nltk" ? "ptb" : "unicode";
}

/** Returns the tokenizer, which drops punctuation. */
export function scoringTokens(name: ScoringTokenizer): (caption: string) => string[] {
  if (name === "ptb") return ptbTokenize;
  const tokenize = tokenizerOf("unicode");
  return (caption) => tokenize(caption).filter((token) => !PUNCTUATION.test(token));
}
