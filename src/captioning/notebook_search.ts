/**
 * Greedy captions of a model that was trained with the notebook's two shifts.
 *
 * @module
 */

import type { DecodeStep } from "./decode_step.ts";
import type { WordSequence } from "./caption.ts";

/** Options of {@linkcode notebookSearch}. */
export interface NotebookSearchOptions {
  /** Images to caption. */
  readonly images: number;
  /** The word that captions begin with, which the model cannot predict. */
  readonly firstWord: number;
  /** The padding's id, before which a caption ends. */
  readonly padding: number;
  /** The most words of a caption, the first one included. */
  readonly maxLength: number;
}

/**
 * Writes the most probable word at each step. The image predicts the second word, the first word the third, and so on:
 * each word that is predicted is given two steps later.
 *
 * @param step The model.
 * @param options Sizes and special words.
 * @returns One caption for each image.
 */
export async function notebookSearch(step: DecodeStep, options: NotebookSearchOptions): Promise<WordSequence[]> {
  const { images, firstWord, padding, maxLength } = options;
  const captions = Array.from({ length: images }, () => ({ words: [firstWord], logProbability: 0, ended: false }));
  const rows = Int32Array.from({ length: images }, (_, row) => row);
  for (let position = 0; position < maxLength - 1 && captions.some(({ ended }) => !ended); position++) {
    const given = position === 0 ? null : Int32Array.from(captions, ({ words }) => words[position - 1] ?? padding);
    const next = await step(rows, given, 1);
    captions.forEach((caption, row) => {
      if (caption.ended) return;
      const word = next.words[row] ?? padding;
      caption.logProbability += next.logProbabilities[row] ?? -Infinity;
      if (word === padding) caption.ended = true;
      else caption.words.push(word);
    });
  }
  return captions.map(({ words, logProbability }) => ({ words, logProbability }));
}
