import { MAX_N, ngramCounts } from "./ngrams.ts";
import type { CaptionScores } from "./rouge_l.ts";
import { checkTokenized, type TokenizedCaption } from "./tokenized_caption.ts";

/** Document frequencies: in how many images' references each n-gram occurs. */
export interface DocumentFrequencies {
  /** Number of images. */
  readonly images: number;
  /** Number of images for each n-gram, its tokens joined by spaces. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Options of {@linkcode ciderD}. */
export interface CiderOptions {
  /**
   * Document frequencies of the n-grams.
   *
   * @default {those of the references}
   */
  readonly frequencies?: DocumentFrequencies;
}

/** TF-IDF of a caption. */
interface Weighed {
  /** For n of 1 to 4, the weight of each n-gram. */
  readonly weights: readonly ReadonlyMap<string, number>[];
  /** For n of 1 to 4, the 2-norm of these weights. */
  readonly norms: readonly number[];
  /** Number of bigrams, as pycocoevalcap measures length. */
  readonly length: number;
}

/** Standard deviation of the length penalty, in tokens. */
const SIGMA = 6;

/**
 * Counts in how many images' references each n-gram of 1 to 4 tokens occurs.
 *
 * @param references For each image the tokens of its references.
 *
 * @example A word of two images
 * ```ts
 * import assert from "node:assert/strict";
 * import { documentFrequencies } from "@lrcn/lrcn/metrics";
 *
 * const { images, counts } = documentFrequencies([[["a", "kite"], ["a", "toy"]], [["a", "boat"]]]);
 * assert.deepEqual([images, counts.get("a"), counts.get("a boat")], [2, 2, 1]);
 * ```
 */
export function documentFrequencies(
  references: readonly (readonly (readonly string[])[])[],
): DocumentFrequencies {
  const counts = new Map<string, number>();
  for (const ofImage of references) {
    const seen = new Set<string>();
    for (const reference of ofImage) {
      for (const ngrams of ngramCounts(reference)) for (const ngram of ngrams.keys()) seen.add(ngram);
    }
    for (const ngram of seen) counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
  }
  return { images: references.length, counts };
}

/**
 * CIDEr-D (Vedantam et al. 2015), equal to pycocoevalcap 1.2's. A single image scores 0: every n-gram is in all documents.
 *
 * @returns Scores from 0 to 10.
 * @throws {TypeError} If captions or references are not lists of tokens.
 * @throws {RangeError} If a caption has no reference.
 *
 * @example Two images
 * ```ts
 * import assert from "node:assert/strict";
 * import { ciderD } from "@lrcn/lrcn/metrics";
 *
 * const kite = ["a", "red", "kite", "flies"];
 * const boat = ["two", "boats", "at", "sea"];
 * const { mean, captions } = ciderD([
 *   { caption: kite, references: [kite] },
 *   { caption: kite, references: [boat] },
 * ]);
 * assert.deepEqual([captions, mean], [[10, 0], 5]);
 * ```
 */
export function ciderD(
  captions: readonly TokenizedCaption[],
  options: CiderOptions = {},
): CaptionScores {
  checkTokenized(captions);
  const { images, counts } = options.frequencies ??
    documentFrequencies(captions.map(({ references }) => references));
  const logImages = Math.log(images);

  function weigh(tokens: readonly string[]): Weighed {
    const weights = ngramCounts(tokens).map((ngrams) =>
      new Map(Array.from(ngrams, ([ngram, times]) => [
        ngram,
        times * (logImages - Math.log(Math.max(1, counts.get(ngram) ?? 0))),
      ]))
    );
    const norms = weights.map((ofLength) => Math.sqrt(ofLength.values().reduce((sum, weight) => sum + weight ** 2, 0)));
    return { weights, norms, length: Math.max(0, tokens.length - 1) };
  }

  const scores = captions.map(({ caption, references }) => {
    const weighed = weigh(caption);
    const sum = references.reduce((sum, reference) => sum + similarity(weighed, weigh(reference)), 0);
    return 10 * sum / references.length;
  });
  return { mean: scores.reduce((sum, value) => sum + value, 0) / scores.length, captions: scores };
}

/** Mean over n of the cosine similarity, the candidate's weights clipped at the reference's; with the length penalty. */
function similarity(candidate: Weighed, reference: Weighed): number {
  let sum = 0;
  for (let n = 0; n < MAX_N; n++) {
    const [ours, theirs] = [candidate.weights[n], reference.weights[n]];
    let product = 0;
    for (const [ngram, weight] of ours ?? []) {
      const other = theirs?.get(ngram) ?? 0;
      product += Math.min(weight, other) * other;
    }
    const norms = (candidate.norms[n] ?? 0) * (reference.norms[n] ?? 0);
    sum += norms === 0 ? 0 : product / norms;
  }
  return sum / MAX_N * Math.exp(-((candidate.length - reference.length) ** 2) / (2 * SIGMA ** 2));
}
