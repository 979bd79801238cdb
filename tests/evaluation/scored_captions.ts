import assert from "node:assert/strict";
import type { CaptionScores } from "../../src/evaluation/rouge_l.ts";
import type { TokenizedCaption } from "../../src/evaluation/tokenized_caption.ts";

/** Splits tokens at spaces. */
export function tokens(sentence: string): string[] {
  return sentence === "" ? [] : sentence.split(" ");
}

/** Compares scores with golden ones. */
export function assertScores(actual: CaptionScores, expected: CaptionScores, bound = 1e-9): void {
  assert.equal(actual.captions.length, expected.captions.length);
  assert(Math.abs(actual.mean - expected.mean) < bound, `the mean is ${actual.mean}, not ${expected.mean}`);
  for (const [index, score] of actual.captions.entries()) {
    const other = expected.captions[index] ?? NaN;
    assert(Math.abs(score - other) < bound, `the score of caption ${index} is ${score}, not ${other}`);
  }
}

/** Captions and their references, words separated by spaces. */
export function captionsOf(
  candidates: readonly string[],
  references: readonly (readonly string[])[],
): TokenizedCaption[] {
  return candidates.map((candidate, index) => (
    { caption: tokens(candidate), references: (references[index] ?? []).map(tokens) }
  ));
}
