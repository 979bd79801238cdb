/** Retrieval metrics over several queries. */
export interface RetrievalScores {
  /** Recall@1: the fraction of queries whose correct answer ranks first. */
  readonly recall1: number;
  /** Recall@5. */
  readonly recall5: number;
  /** Recall@10. */
  readonly recall10: number;
  /** Median rank of the correct answers, from 1; the mean of the two middle ones if their number is even. */
  readonly medianRank: number;
}

/** The result of {@linkcode retrieval}. */
export interface RetrievalResult {
  /** Image retrieval by caption, by log p(caption | image). */
  readonly images: RetrievalScores;
  /** Caption retrieval by image, by log p(caption | image), which favors short and common captions. */
  readonly captions: RetrievalScores;
  /** Caption retrieval by image, by log p(caption | image) minus its mean over the images. */
  readonly captionsLessMean: RetrievalScores;
}

/** Storage for rows of scores that are read a second time, so that they need not fit in memory. */
export interface RowStore {
  /** Appends a row. */
  append(row: Float32Array<ArrayBuffer>): Promise<void>;
  /** The rows, in order. */
  rows(): AsyncIterable<Float32Array>;
}

/**
 * Ranks the correct answers (Donahue et al. 2015, section 5.2). A tie ranks after the wrong answer, so that a model that
 * ignores its images retrieves nothing. All captions of an image are correct.
 *
 * @param rows For each caption log p(caption | image) of every image.
 * @param imageOfCaption For each caption the index of its image; each image has at least one.
 * @throws {RangeError} If rows and captions differ in number, or rows in length.
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
