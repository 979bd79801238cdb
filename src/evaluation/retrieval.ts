/**
 * Retrieval: whether a model's probabilities tell which caption belongs to which image (Donahue et al. 2015, section 5.2).
 *
 * @module
 */

/** How high the right answers stand among all, of several questions. */
export interface RetrievalScores {
  /** Share of the questions whose right answer is the first. */
  readonly recall1: number;
  /** Share whose right answer is among the first 5. */
  readonly recall5: number;
  /** Share whose right answer is among the first 10. */
  readonly recall10: number;
  /** The middle one of the right answers' ranks, from 1; between two the mean of both. */
  readonly medianRank: number;
}

/** What {@linkcode retrieval} finds. */
export interface RetrievalResult {
  /** Images found by a caption, by log p(caption | image). */
  readonly images: RetrievalScores;
  /** Captions found by an image, by log p(caption | image); short and common captions stand before others. */
  readonly captions: RetrievalScores;
  /** Captions found by an image, by log p(caption | image) less its mean over the images. */
  readonly captionsLessMean: RetrievalScores;
}

/** Keeps rows of numbers until they are read a second time, so that not all of them lie in memory. */
export interface RowStore {
  /** Keeps a row after those before. */
  append(row: Float32Array<ArrayBuffer>): Promise<void>;
  /** The rows in their order. */
  rows(): AsyncIterable<Float32Array>;
}

/**
 * ProcessGroup the right answers. One that scores as much as a wrong one stands after it, so that a model which ignores its images
 * finds nothing. Captions of the same image are all right.
 *
 * @param rows For each caption log p(caption | image) of every image.
 * @param imageOfCaption For each caption the index of its image; each image has at least one.
 * @param store Keeps the rows meanwhile.
 * @returns Recalls and median ranks.
 * @throws {RangeError} If there are more or fewer rows than captions, or they do not all hold as many images.
 *
 * @example Two captions, two images
 * ```ts
 * import assert from "node:assert/strict";
 * import { retrieval } from "./retrieval.ts";
 *
 * const kept: Float32Array<ArrayBuffer>[] = [];
 * async function* rows() {
 *   yield* [Float32Array.of(-1, -3), Float32Array.of(-4, -2)];
 * }
 * const { images } = await retrieval(rows(), Int32Array.of(0, 1), {
 *   append: async (row) => void kept.push(row),
 *   rows: async function* () {
 *     yield* kept;
 *   },
 * });
 * assert.equal(images.recall1, 1);
 * ```
 */
export async function retrieval(
  rows: AsyncIterable<Float32Array<ArrayBuffer>>,
  imageOfCaption: Int32Array,
  store: RowStore,
): Promise<RetrievalResult> {
  const images = imageOfCaption.reduce((most, image) => Math.max(most, image + 1), 0);
  const means: number[] = [];
  const imageRanks: number[] = [];
  const best = { raw: new Float64Array(images).fill(-Infinity), lessMean: new Float64Array(images).fill(-Infinity) };
  for await (const row of rows) {
    const image = imageOfCaption[means.length] ?? -1;
    const right = row[image];
    if (right === undefined || row.length !== images) {
      throw new RangeError(`Cannot rank: row ${means.length} has ${row.length} of ${images} images`);
    }
    const mean = row.reduce((sum, score) => sum + score, 0) / images;
    imageRanks.push(1 + row.reduce((before, score, other) => before + Number(other !== image && score >= right), 0));
    best.raw[image] = Math.max(best.raw[image] ?? NaN, right);
    best.lessMean[image] = Math.max(best.lessMean[image] ?? NaN, right - mean);
    means.push(mean);
    await store.append(row);
  }
  if (means.length !== imageOfCaption.length) {
    throw new RangeError(`Cannot rank: there are ${means.length} rows of ${imageOfCaption.length} captions`);
  }
  const ranks = { raw: new Float64Array(images).fill(1), lessMean: new Float64Array(images).fill(1) };
  let caption = 0;
  for await (const row of store.rows()) {
    const mean = means[caption] ?? NaN;
    const own = imageOfCaption[caption++];
    for (const [image, score] of row.entries()) {
      if (image === own) continue;
      if (score >= (best.raw[image] ?? NaN)) ranks.raw[image] = (ranks.raw[image] ?? NaN) + 1;
      if (score - mean >= (best.lessMean[image] ?? NaN)) ranks.lessMean[image] = (ranks.lessMean[image] ?? NaN) + 1;
    }
  }
  return {
    images: scoresOf(imageRanks),
    captions: scoresOf([...ranks.raw]),
    captionsLessMean: scoresOf([...ranks.lessMean]),
  };
}

function scoresOf(ranks: readonly number[]): RetrievalScores {
  const sorted = ranks.toSorted((a, b) => a - b);
  const within = (most: number) => ranks.filter((rank) => rank <= most).length / ranks.length;
  const [low = NaN, high = NaN] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return { recall1: within(1), recall5: within(5), recall10: within(10), medianRank: (low + high) / 2 };
}
