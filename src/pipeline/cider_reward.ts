/**
 * CIDEr-D as what self-critical training earns.
 *
 * @module
 */

import { ciderD, documentFrequencies } from "../evaluation/cider.ts";
import type { Reward } from "./self_critical.ts";
import type { EncodedExample } from "./training_data.ts";

/**
 * Makes the reward of a training: CIDEr-D by the document frequencies of what is learnt from. `<end>` counts as a word, so
 * that a caption which breaks off earns less.
 *
 * @param examples What is learnt from.
 * @returns The reward.
 */
export function ciderReward(examples: readonly EncodedExample[]): Reward {
  const words = (ids: Iterable<number>) => Array.from(ids, String);
  const frequencies = documentFrequencies(
    examples.map(({ captions }) => captions.map((ids) => words(ids.subarray(1)))),
  );
  return (captions, references) => {
    const spoken = references.map(words);
    return [...ciderD(captions.map(words), captions.map(() => spoken), { frequencies }).captions];
  };
}
