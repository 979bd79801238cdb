import type { Recipe } from "./recipe.ts";
import { type EncodedExample, type TrainingData, UNSPLIT_REMEDY } from "./training_data.ts";

/** Fraction of unknown words in training captions above which a model learns little but <unk>. */
const MANY_UNKNOWN = 0.2;

/** The fraction of unknown words in captions, 0 to 1. */
export function unknownFraction(
  examples: readonly Pick<EncodedExample, "captions">[],
  { pad, start, end, unknown }: Pick<TrainingData["vocabulary"], "pad" | "start" | "end" | "unknown">,
): number {
  let [words, unknownWords] = [0, 0];
  for (const ids of examples.flatMap(({ captions }) => captions)) {
    for (const id of ids) {
      if (id === pad || id === start || id === end) continue;
      words++;
      if (id === unknown) unknownWords++;
    }
  }
  return words === 0 ? 0 : unknownWords / words;
}

/** Warnings of a training about its words, a line each. */
export function wordWarnings(
  data: TrainingData,
  { minCount, collation }: Pick<Recipe, "minCount" | "collation">,
): string[] {
  const { unsplitFraction: unsplit } = data;
  const unknown = collation === "masked" ? unknownFraction(data.splits.train, data.vocabulary) : 0;
  return [
    ...(unsplit > 0
      ? [
        `${
          percent(unsplit)
        } of the training captions are in a script without spaces between words, and ${UNSPLIT_REMEDY}`,
      ]
      : []),
    ...(unknown > MANY_UNKNOWN
      ? [`${percent(unknown)} of the words of training captions are unknown (<unk>): ${rareWords(minCount)}`]
      : []),
  ];
}

/** Why words are unknown, and what to do. */
export function rareWords(minCount: number): string {
  return minCount > 1
    ? `they occur fewer than ${minCount} times in the training set; give a lower --set minCount=..., or more captions`
    : "they do not occur in the training set; only more captions help";
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)}%`;
}
