/**
 * From a dataset's captions to what an epoch goes through: word ids, by split.
 *
 * @module
 */

import { InputError } from "../input_error.ts";
import type { CaptionedPhotograph, Dataset, Photograph } from "../data/dataset.ts";
import { lrcnCaption, notebookCaption } from "../text/encode_captions.ts";
import { Random } from "../random.ts";
import type { Recipe } from "./recipe.ts";
import { splitByCaption, splitByImage, splitOfficially, type Splits } from "../data/splits.ts";
import { tokenizerOf } from "../text/tokenizer.ts";
import { Vocabulary } from "../text/vocabulary.ts";

/** A photograph with word ids: all its captions, or in the notebook recipe one of them. */
export interface Example {
  /** The photograph. */
  readonly photograph: Photograph;
  /** Word ids of each caption. */
  readonly captions: readonly Int32Array<ArrayBuffer>[];
}

/** What a run learns from. */
export interface TrainingData {
  /** The words. */
  readonly vocabulary: Vocabulary;
  /** The examples of each split. */
  readonly splits: Splits<Example>;
  /** The commonest first word of the training captions. */
  readonly firstWord: string;
}

/**
 * Keeps some photographs of a dataset, drawn at random and in their order.
 *
 * @param dataset The dataset.
 * @param count How many to keep.
 * @param seed Decides which.
 * @returns The smaller dataset.
 */
export function limitPhotographs(dataset: Dataset, count: number, seed: number): Dataset {
  const lists = dataset.officialSplits;
  const listed = lists && new Set([...lists.train, ...lists.validation, ...lists.test]);
  const eligible = dataset.photographs.filter(({ name }) => listed?.has(name) ?? true);
  const kept = new Set(new Random(seed).shuffle(eligible).slice(0, count));
  return {
    ...dataset,
    photographs: dataset.photographs.filter((photograph) => kept.has(photograph)),
    rows: dataset.rows.filter(({ photograph }) => kept.has(photograph)),
  };
}

/**
 * Splits, tokenizes and encodes a dataset as a recipe wants it.
 *
 * @param dataset The dataset.
 * @param recipe The recipe.
 * @param seed Decides a random split.
 * @returns Words and examples.
 * @throws {InputError} If a split would be empty.
 */
export function prepareTrainingData(dataset: Dataset, recipe: Recipe, seed: number): TrainingData {
  return recipe.name === "notebook" ? notebookData(dataset, recipe, seed) : lrcnData(dataset, recipe, seed);
}

function lrcnData(dataset: Dataset, recipe: Recipe, seed: number): TrainingData {
  const { photographs, officialSplits } = dataset;
  const splits = officialSplits ? splitOfficially(photographs, officialSplits) : splitByImage(photographs, { seed });
  const tokenize = tokenizerOf(recipe.tokenizer);
  const tokens = mapSplits(splits, (photograph) => ({
    photograph,
    captions: photograph.captions.map((caption) => tokenize(caption)),
  }));
  const trainTokens = tokens.train.flatMap(({ captions }) => captions);
  const vocabulary = Vocabulary.fromTokens(trainTokens, { minCount: recipe.minCount });
  if (vocabulary.size === Vocabulary.fromTokens([], {}).size) {
    throw new InputError(
      `Cannot train: no word occurs ${recipe.minCount} times in the ${trainTokens.length} training captions; give ` +
        "--set minCount=1, or --tokenizer unicode for scripts without spaces",
    );
  }
  return {
    vocabulary,
    firstWord: commonestFirst(trainTokens),
    splits: mapSplits(tokens, ({ photograph, captions }) => ({
      photograph,
      captions: captions.map((words) => lrcnCaption(words, vocabulary, recipe.maxWords)),
    })),
  };
}

function notebookData(dataset: Dataset, recipe: Recipe, seed: number): TrainingData {
  const tokenize = tokenizerOf(recipe.tokenizer);
  const rows = dataset.rows.map((row: CaptionedPhotograph) => ({ ...row, tokens: tokenize(row.caption) }));
  const vocabulary = Vocabulary.notebook(rows.map(({ tokens }) => tokens));
  const splits = splitByCaption(rows, { seed });
  return {
    vocabulary,
    firstWord: commonestFirst(splits.train.map(({ tokens }) => tokens)),
    splits: mapSplits(splits, ({ photograph, tokens }) => ({
      photograph,
      captions: [notebookCaption(tokens, vocabulary, recipe.maxWords)],
    })),
  };
}

/**
 * Leaves out the examples whose photograph could not be decoded.
 *
 * @param splits The examples.
 * @param photographs Those that have pixels.
 * @returns The rest.
 * @throws {InputError} If a split is empty now.
 */
export function keepDecoded(splits: Splits<Example>, photographs: readonly Photograph[]): Splits<Example> {
  const decoded = new Set(photographs);
  const kept = mapSplits(splits, (example) => example, ({ photograph }) => decoded.has(photograph));
  for (const [name, examples] of Object.entries({ train: kept.train, validation: kept.validation })) {
    if (examples.length === 0) {
      throw new InputError(
        `Cannot train: none of the ${name} split's images can be decoded; add images to the dataset`,
      );
    }
  }
  return kept;
}

function mapSplits<From, To>(
  splits: Splits<From>,
  change: (item: From) => To,
  keep: (item: From) => boolean = () => true,
): Splits<To> {
  const part = (items: readonly From[]) => items.filter(keep).map(change);
  return {
    train: part(splits.train),
    validation: part(splits.validation),
    test: part(splits.test),
    leftOut: splits.leftOut,
  };
}

/** The word that most captions begin with; of several the one met first. */
function commonestFirst(captions: readonly (readonly string[])[]): string {
  const counts = new Map<string, number>();
  for (const [word] of captions) if (word !== undefined) counts.set(word, (counts.get(word) ?? 0) + 1);
  let [commonest, most] = ["", 0];
  for (const [word, count] of counts) if (count > most) [commonest, most] = [word, count];
  return commonest;
}
