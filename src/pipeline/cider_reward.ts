import { ciderD, documentFrequencies } from "../evaluation/cider.ts";
import type { Reward } from "./self_critical.ts";
import type { EncodedExample } from "./training_data.ts";

/**
 * The reward of self-critical training: CIDEr-D with the document frequencies of the training set. `<end>` counts as a
 * word, so a caption that breaks off earns less.
 */
export function ciderReward(trainingSet: readonly EncodedExample[]): Reward {
  const words = (ids: Iterable<number>) => Array.from(ids, String);
  const frequencies = documentFrequencies(
    trainingSet.map(({ captions }) => captions.map((ids) => words(ids.subarray(1)))),
  );
  return (captions, references) => {
    const spoken = references.map(words);
    return [...ciderD(captions.map((ids) => ({ caption: words(ids), references: spoken })), { frequencies }).captions];
  };
}
