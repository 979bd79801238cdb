/**
 * Scores of captions against references, as pycocoevalcap computes them: BLEU, ROUGE-L, CIDEr-D, and the tokens of the Penn
 * Treebank that they count. Needs neither the native library nor a permission.
 *
 * @example Scoring captions
 * ```ts
 * import assert from "node:assert/strict";
 * import { scoreCaptions, tokenizeCaptions } from "@lrcn/lrcn/metrics";
 *
 * const captions = [
 *   { caption: "a dog runs on grass", references: ["A dog runs across the grass.", "A brown dog is running."] },
 *   { caption: "two boats", references: ["Two boats on a lake.", "Boats."] },
 * ];
 * const { corpus } = scoreCaptions(tokenizeCaptions(captions));
 * assert(corpus.Bleu_1 > 0.7);
 * ```
 *
 * @module
 */

export { bleu, type BleuResult, type BleuScores } from "./bleu.ts";
export { ciderD, type CiderOptions, type DocumentFrequencies, documentFrequencies } from "./cider.ts";
export { type CaptionScores, rougeL } from "./rouge_l.ts";
export {
  scoreCaptions,
  type ScoredCaption,
  type ScoreResult,
  type Scores,
  tokenizeCaptions,
} from "./score_captions.ts";
export type { TokenizedCaption } from "./tokenized_caption.ts";
export { type ScoringTokenizer } from "./scoring_tokenizer.ts";
export { ptbTokenize } from "../text/ptb/tokenizer.ts";
