import { checkTokenized, type TokenizedCaption } from "./tokenized_caption.ts";

/** A metric's scores. */
export interface CaptionScores {
  /** The mean over the captions. */
  readonly mean: number;
  /** The score of each caption. */
  readonly captions: readonly number[];
}

/** Weight of recall relative to precision. */
const BETA = 1.2;

/**
 * ROUGE-L (Lin 2004), equal to pycocoevalcap 1.2's: the best precision and the best recall may be of different references.
 *
 * @returns Scores from 0 to 1.
 * @throws {TypeError} If captions or references are not lists of tokens.
 * @throws {RangeError} If a caption has no reference.
 *
 * @example Three words of four in order
 * ```ts
 * import assert from "node:assert/strict";
 * import { rougeL } from "@lrcn/lrcn/metrics";
 *
 * const { mean } = rougeL([{ caption: ["a", "red", "dog", "runs"], references: [["a", "dog", "runs"]] }]);
 * assert.equal(mean.toFixed(2), "0.88");
 * ```
 */
export function rougeL(captions: readonly TokenizedCaption[]): CaptionScores {
  checkTokenized(captions);
  const scores = captions.map(({ caption, references }) => score(orBlank(caption), references));
  return { mean: scores.reduce((sum, value) => sum + value, 0) / scores.length, captions: scores };
}

function score(candidate: readonly string[], references: readonly (readonly string[])[]): number {
  let [precision, recall] = [0, 0];
  for (const reference of references.map(orBlank)) {
    const common = longestCommonSubsequence(candidate, reference);
    precision = Math.max(precision, common / candidate.length);
    recall = Math.max(recall, common / reference.length);
  }
  if (precision === 0 || recall === 0) return 0;
  return (1 + BETA ** 2) * precision * recall / (recall + BETA ** 2 * precision);
}

/** pycocoevalcap treats an empty caption as one empty token. */
function orBlank(tokens: readonly string[]): readonly string[] {
  return tokens.length === 0 ? [""] : tokens;
}

function longestCommonSubsequence(one: readonly string[], other: readonly string[]): number {
  // Lengths for the tokens of `one` so far and each prefix of `other`.
  let lengths = new Uint32Array(other.length + 1);
  for (const word of one) {
    const next = new Uint32Array(other.length + 1);
    for (let end = 1; end <= other.length; end++) {
      next[end] = word === other[end - 1]
        ? (lengths[end - 1] ?? 0) + 1
        : Math.max(lengths[end] ?? 0, next[end - 1] ?? 0);
    }
    lengths = next;
  }
  return lengths[other.length] ?? 0;
}
