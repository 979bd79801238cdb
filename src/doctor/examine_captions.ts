import type { Dataset } from "../data/dataset.ts";
import type { Recipe } from "../pipeline/recipe.ts";
import { tokenizerOf } from "../text/tokenizer.ts";
import type { TrainingData } from "../pipeline/training_data.ts";
import { unknownFraction } from "../pipeline/word_warnings.ts";

/** Fraction of unknown words in the captions of each split, 0 to 1. */
export interface UnknownFractions {
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

/** Lengths of captions, and words. */
export interface CaptionsExamination {
  /** Number of captions by length in words. */
  readonly lengths: Readonly<Record<string, number>>;
  readonly medianLength: number;
  /** Number of captions longer than the recipe's maximum. */
  readonly cut: number;
  /** Size of the vocabulary, special tokens included. */
  readonly vocabulary: number;
  /** Number of distinct words of the training set that are too rare for the vocabulary. */
  readonly skippedWords: number;
  readonly unknownFractions: UnknownFractions;
}

export function examineCaptions(dataset: Dataset, data: TrainingData, recipe: Recipe): CaptionsExamination {
  const tokenize = tokenizerOf(recipe.tokenizer);
  const { vocabulary, splits } = data;
  const trainingSet = new Set(splits.train.map(({ example }) => example));
  const known = new Set(vocabulary.words);
  const skippedWords = new Set<string>();
  const counts = new Map<number, number>();
  for (const { example, caption } of dataset.rows) {
    const tokens = tokenize(caption);
    counts.set(tokens.length, (counts.get(tokens.length) ?? 0) + 1);
    if (!trainingSet.has(example)) continue;
    for (const token of tokens) if (!known.has(token)) skippedWords.add(token);
  }
  const sorted = [...counts].sort(([a], [b]) => a - b);
  return {
    lengths: Object.fromEntries(sorted),
    medianLength: medianOf(sorted, dataset.rows.length),
    cut: sorted.reduce((sum, [length, count]) => length > recipe.maxLength ? sum + count : sum, 0),
    vocabulary: vocabulary.size,
    skippedWords: skippedWords.size,
    unknownFractions: {
      train: unknownFraction(splits.train, vocabulary),
      validation: unknownFraction(splits.validation, vocabulary),
      test: unknownFraction(splits.test, vocabulary),
    },
  };
}

/** The lower median of counted values. */
function medianOf(sorted: readonly (readonly [value: number, count: number])[], total: number): number {
  let before = 0;
  for (const [value, count] of sorted) {
    before += count;
    if (2 * before >= total) return value;
  }
  return 0;
}
