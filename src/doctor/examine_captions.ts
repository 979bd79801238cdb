/**
 * What there is to know of a dataset's captions before a model learns from them.
 *
 * @module
 */

import type { Dataset } from "../data/dataset.ts";
import type { Recipe } from "../pipeline/recipe.ts";
import { tokenizerOf } from "../text/tokenizer.ts";
import type { EncodedExample, TrainingData } from "../pipeline/training_data.ts";

/** Shares of the words of captions, 0 to 1. */
export interface UnknownFractions {
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
  /** Different words of the train split that the vocabulary leaves out, as they occur too seldom. */
  readonly skippedWords: number;
  /** Share of the words that the vocabulary does not hold. */
  readonly unknownFractions: UnknownFractions;
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
  const { vocabulary, splits } = data;
  const learnt = new Set(splits.train.map(({ example }) => example));
  const known = new Set(vocabulary.words);
  const skippedWords = new Set<string>();
  const counts = new Map<number, number>();
  for (const { example, caption } of dataset.rows) {
    const tokens = tokenize(caption);
    counts.set(tokens.length, (counts.get(tokens.length) ?? 0) + 1);
    if (learnt.has(example)) { for (const token of tokens) if (!known.has(token)) skippedWords.add(token); }
  }
  const sorted = [...counts].sort(([a], [b]) => a - b);
  const special = new Set([vocabulary.pad, vocabulary.start, vocabulary.end]);
  const share = (examples: readonly EncodedExample[]) => {
    let [words, unknown] = [0, 0];
    for (const ids of examples.flatMap(({ captions }) => captions)) {
      for (const id of ids) {
        if (special.has(id)) continue;
        words++;
        if (id === vocabulary.unknown) unknown++;
      }
    }
    return words === 0 ? 0 : unknown / words;
  };
  return {
    lengths: Object.fromEntries(sorted),
    medianLength: medianOf(sorted, dataset.rows.length),
    cut: sorted.reduce((sum, [length, count]) => length > recipe.maxLength ? sum + count : sum, 0),
    vocabulary: vocabulary.size,
    skippedWords: skippedWords.size,
    unknownFractions: { train: share(splits.train), validation: share(splits.validation), test: share(splits.test) },
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
