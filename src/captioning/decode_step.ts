/**
 * A model as the searches see it: words in, the most probable next words out.
 *
 * @module
 */

import type { NextTokens } from "../ffi/decoding.ts";

/**
 * One step of a model that is given a word in each row and answers with the k most probable next ones.
 *
 * @param parents For each row, the row of the last step that it continues; at the first step, its image.
 * @param words For each row the word it is given; null at the image's own step, where the model has one.
 * @param k How many words to give for each row.
 */
export type DecodeStep = (
  parents: Int32Array<ArrayBuffer>,
  words: Int32Array<ArrayBuffer> | null,
  k: number,
) => Promise<NextTokens>;

/**
 * Puts the images' own step before the first word, for a model whose image is the sequence's first element: what comes
 * after need not know of it.
 *
 * @param step The model.
 * @param images Images to caption.
 * @returns A model that begins with a word.
 */
export function withImagesFirst(step: DecodeStep, images: number): DecodeStep {
  let begun = false;
  return async (parents, words, k) => {
    if (!begun) await step(Int32Array.from({ length: images }, (_, image) => image), null, 1);
    begun = true;
    return await step(parents, words, k);
  };
}
