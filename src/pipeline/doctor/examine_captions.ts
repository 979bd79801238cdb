/**
 * What there is to know of a dataset's captions before a model learns from them.
 *
 * @module
 */

import type { Dataset } from "../dataset.ts";
import type { Recipe } from "../recipe.ts";
import { tokenizerOf } from "../tokenizer/tokenizer.ts";
import type { Example, TrainingData } from "../training_data.ts";

/** Shares of the words of captions, 0 to 1. */
export interface UnknownShares {
  /** In the train split. */
  readonly train: number;
  /** In the validation split. */
  readonly validation: number;
  /** In the test split. */
  readonly test: number;
}

/** Captions and words. */
export interface CaptionsExamination {
  /** For each length in words that occurs, how many captions have it. */
  readonly lengths: Readonly<Record<string, number>>;
  /** The middle length. */
  readonly medianLength: number;
  /** Captions longer than the recipe keeps. */
  readonly cut: number;
  /** Words of the vocabulary, the special ones among them. */
  readonly vocabulary: number;
  /** Share of the words that the vocabulary does not hold. */
  readonly unknownShares: UnknownShares;
}

/**
 * Examines captions.
 *
 * @param dataset The captions as they are written.
 * @param data What the recipe makes of them.
 * @param recipe The recipe.
 * @returns What was found.
 */
export function examineCaptions(dataset: Dataset, data: TrainingData, recipe: Recipe): CaptionsExamination {
  const tokenize = tokenizerOf(recipe.tokenizer);
  const counts = new Map<number, number>();
  for (const { caption } of dataset.rows) {
    const { length } = tokenize(caption);
    counts.set(length, (counts.get(length) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([a], [b]) => a - b);
  const { vocabulary, splits } = data;
  const special = new Set([vocabulary.pad, vocabulary.start, vocabulary.end]);
  const share = (examples: readonly Example[]) => {
    const words = examples.flatMap(({ captions }) =>
      captions.flatMap((ids) => [...ids].filter((id) => !special.has(id)))
    );
    return words.length === 0 ? 0 : words.filter((id) => id === vocabulary.unknown).length / words.length;
  };
  return {
    lengths: Object.fromEntries(sorted),
    medianLength: medianOf(sorted, dataset.rows.length),
    cut: sorted.reduce((sum, [length, count]) => length > recipe.maxWords ? sum + count : sum, 0),
    vocabulary: vocabulary.size,
    unknownShares: { train: share(splits.train), validation: share(splits.validation), test: share(splits.test) },
  };
}

/** The lower middle of counted values. */
function medianOf(sorted: readonly (readonly [value: number, count: number])[], total: number): number {
  let before = 0;
  for (const [value, count] of sorted) {
    before += count;
    if (2 * before >= total) return value;
  }
  return 0;
}
