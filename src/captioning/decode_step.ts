import type { NextTokens } from "../ffi/decoding.ts";

/**
 * One decoding step of a model: takes a token in each row and returns the k most probable next ones.
 *
 * @param parents For each row, the row of the previous step that it continues; at the first step, its image.
 * @param tokens The token of each row; null at the image's own step, if the model has one.
 */
export type DecodeStep = (
  parents: Int32Array<ArrayBuffer>,
  tokens: Int32Array<ArrayBuffer> | null,
  k: number,
) => Promise<NextTokens>;

/**
 * Prepends the image step for a model whose image is the first element of the sequence, so that searches need not know
 * of it.
 */
export function withImagesFirst(step: DecodeStep, images: number): DecodeStep {
  let begun = false;
  return async (parents, tokens, k) => {
    if (!begun) await step(Int32Array.from({ length: images }, (_, image) => image), null, 1);
    begun = true;
    return await step(parents, tokens, k);
  };
}
