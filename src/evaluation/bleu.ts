import { MAX_N, ngramCounts } from "./ngrams.ts";
import { checkTokenized, type TokenizedCaption } from "./tokenized_caption.ts";

/** BLEU-1 to BLEU-4, each 0 to 1. */
export type BleuScores = [bleu1: number, bleu2: number, bleu3: number, bleu4: number];

/** The result of {@linkcode bleu}. */
export interface BleuResult {
  /** The scores of all candidates as one corpus: counts are summed, then divided. */
  readonly corpus: BleuScores;
  /** The scores of each candidate alone. */
  readonly captions: readonly BleuScores[];
}

interface Counts {
  /** Tokens of the candidates. */
  candidateLength: number;
  /** Tokens of the references closest in length. */
  referenceLength: number;
  /** For n of 1 to 4, the candidates' n-grams. */
  readonly guessed: number[];
  /** For n of 1 to 4, those matched by a reference. */
  readonly correct: number[];
}

// As in pycocoevalcap: no division by 0, and a count of 0 does not make a corpus score 0.
const TINY = 1e-15;
const SMALL = 1e-9;

/**
 * BLEU (Papineni et al. 2002), equal to pycocoevalcap 1.2's: the closest reference length counts, of two equally close the
 * shorter, and n-gram matches are clipped at the highest count in one reference.
 *
 * @throws {TypeError} If captions or references are not lists of tokens.
 * @throws {RangeError} If a caption has no reference.
 *
 * @example One word of three differs
 * ```ts
 * import assert from "node:assert/strict";
 * import { bleu } from "@lrcn/lrcn/metrics";
 *
 * const { corpus, captions } = bleu([{ caption: ["a", "red", "dog"], references: [["a", "brown", "dog"]] }]);
 * assert.equal(corpus[0].toFixed(2), "0.67");
 * assert.equal(captions.length, 1);
 * ```
 */
export function bleu(captions: readonly TokenizedCaption[]): BleuResult {
  checkTokenized(captions);
  const total: Counts = { candidateLength: 0, referenceLength: 0, guessed: [0, 0, 0, 0], correct: [0, 0, 0, 0] };
  const each = captions.map(({ caption, references }) => {
    const counts = count(caption, references);
    add(total, counts);
    return scores(counts);
  });
  return { corpus: scores(total), captions: each };
}

function count(candidate: readonly string[], references: readonly (readonly string[])[]): Counts {
  const most = new Map<string, number>();
  for (const reference of references) {
    for (const counts of ngramCounts(reference)) {
      for (const [ngram, times] of counts) most.set(ngram, Math.max(most.get(ngram) ?? 0, times));
    }
  }
  const correct = ngramCounts(candidate).map((counts) => {
    let sum = 0;
    for (const [ngram, times] of counts) sum += Math.min(times, most.get(ngram) ?? 0);
    return sum;
  });
  return {
    candidateLength: candidate.length,
    referenceLength: closest(references.map((reference) => reference.length), candidate.length),
    guessed: correct.map((_, index) => Math.max(0, candidate.length - index)),
    correct,
  };
}

function closest(lengths: readonly number[], to: number): number {
  return lengths.reduce((best, length) => {
    const nearer = Math.abs(length - to) - Math.abs(best - to);
    return nearer < 0 || (nearer === 0 && length < best) ? length : best;
  });
}

function add(total: Counts, counts: Counts): void {
  total.candidateLength += counts.candidateLength;
  total.referenceLength += counts.referenceLength;
  for (let index = 0; index < MAX_N; index++) {
    total.guessed[index] = (total.guessed[index] ?? 0) + (counts.guessed[index] ?? 0);
    total.correct[index] = (total.correct[index] ?? 0) + (counts.correct[index] ?? 0);
  }
}

function scores({ candidateLength, referenceLength, guessed, correct }: Counts): BleuScores {
  const ratio = (candidateLength + TINY) / (referenceLength + SMALL);
  const brevity = ratio < 1 ? Math.exp(1 - 1 / ratio) : 1;
  const result: BleuScores = [0, 0, 0, 0];
  let product = 1;
  for (let index = 0; index < MAX_N; index++) {
    product *= ((correct[index] ?? 0) + TINY) / ((guessed[index] ?? 0) + SMALL);
    result[index] = product ** (1 / (index + 1)) * brevity;
  }
  return result;
}
