/**
 * Beam search: the most probable captions of several images at once.
 *
 * @module
 */

import type { NextWords } from "../ffi/decoding.ts";
import type { WordSequence } from "./caption.ts";

/** One step of a model that is given a word in each row and answers with the k most probable next ones. */
export type DecodeStep = (
  parents: Int32Array<ArrayBuffer>,
  words: Int32Array<ArrayBuffer> | null,
  k: number,
) => Promise<NextWords>;

/** Options of {@linkcode beamSearch}. */
export interface BeamSearchOptions {
  /** Images to caption. */
  readonly images: number;
  /** Captions pursued for each image; 1 is greedy search. */
  readonly beam: number;
  /** The most words of a caption. */
  readonly maxWords: number;
  /** The id that every caption is begun with. */
  readonly start: number;
  /** The id that ends a caption. */
  readonly end: number;
  /** Ids that are never written: padding, the unknown word, the start. */
  readonly never: readonly number[];
  /** Words that the model knows. */
  readonly vocabularySize: number;
  /** Whether the model's first step is the image's own, with no word given. */
  readonly imageFirst: boolean;
}

interface Hypothesis extends WordSequence {
  /** Its row in the model's state. */
  readonly row: number;
  readonly ended: boolean;
}

/**
 * Searches for the most probable caption of each image. Every caption has at least one word. Where no caption reached
 * its end within `maxWords`, the best unfinished one is taken.
 *
 * @param step The model.
 * @param options Sizes and special words.
 * @returns One caption for each image.
 * @throws {RangeError} If the beam is not a positive integer.
 */
export async function beamSearch(step: DecodeStep, options: BeamSearchOptions): Promise<WordSequence[]> {
  const { images, beam, start, end, maxWords, vocabularySize } = options;
  if (!Number.isInteger(beam) || beam < 1) {
    throw new RangeError(`Cannot write a caption: the beam must be a positive integer, got ${beam}`);
  }
  const never = new Set(options.never);
  // So many that `beam` of them are left when the words that may not stand here are gone.
  const k = Math.min(vocabularySize, beam + never.size + 1);
  const each = Int32Array.from({ length: images }, (_, image) => image);
  if (options.imageFirst) await step(each, null, 1);

  const finished = new Array<Hypothesis | undefined>(images);
  let alive: Hypothesis[][] = Array.from(each, (row) => [{ words: [], logProbability: 0, row, ended: false }]);
  for (let length = 0; length <= maxWords; length++) {
    const rows = alive.flat();
    if (rows.length === 0) break;
    const next = await step(
      Int32Array.from(rows, ({ row }) => row),
      Int32Array.from(rows, ({ words }) => words.at(-1) ?? start),
      k,
    );
    let row = 0;
    alive = alive.map((hypotheses, image) => {
      const candidates = hypotheses.flatMap((hypothesis) => extend(hypothesis, row++, next, k));
      const best = candidates
        .filter(({ words, ended }) => ended ? length > 0 : length < maxWords && !never.has(words.at(-1) ?? end))
        .sort((a, b) => b.logProbability - a.logProbability)
        .slice(0, beam);
      const ended = best.find((candidate) => candidate.ended);
      if (ended && ended.logProbability > (finished[image]?.logProbability ?? -Infinity)) finished[image] = ended;
      if (length === maxWords) finished[image] ??= hypotheses[0];
      // Probabilities only fall: what is less probable than a finished caption stays so.
      const bar = finished[image]?.logProbability ?? -Infinity;
      return best.filter((candidate) => !candidate.ended && candidate.logProbability > bar);
    });
  }
  return finished.map((hypothesis) => {
    if (hypothesis === undefined) throw new RangeError("Cannot write a caption: no word of the vocabulary may be used");
    return { words: hypothesis.words, logProbability: hypothesis.logProbability };
  });

  function extend(hypothesis: Hypothesis, row: number, next: NextWords, k: number): Hypothesis[] {
    return Array.from(next.words.subarray(row * k, (row + 1) * k), (word, rank) => ({
      words: word === end ? hypothesis.words : [...hypothesis.words, word],
      logProbability: hypothesis.logProbability + (next.logProbabilities[row * k + rank] ?? -Infinity),
      row,
      ended: word === end,
    }));
  }
}
