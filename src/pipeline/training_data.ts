import { InputError } from "../input_error.ts";
import type { Dataset, Example } from "../data/dataset.ts";
import { lrcnCaption, notebookCaption, Vocabulary } from "../text/vocabulary.ts";
import { sha256 } from "../files/sha256.ts";
import { Random } from "../random.ts";
import type { Recipe } from "./recipe.ts";
import { splitByCaption, splitByImage, splitOfficially, type Splits } from "../data/splits.ts";
import { tokenizerOf } from "../text/tokenizer.ts";
import { unsplitFraction } from "../text/unspaced_script.ts";

/** An example with token ids: all its captions, or in the notebook recipe one of them. */
export interface EncodedExample {
  /** The image. */
  readonly example: Example;
  /** Token ids of each caption. */
  readonly captions: readonly Int32Array<ArrayBuffer>[];
}

/** The captions of a run, split and encoded. */
export interface TrainingData {
  readonly vocabulary: Vocabulary;
  /** The examples of each split. */
  readonly splits: Splits<EncodedExample>;
  /** The commonest first word of the training captions. */
  readonly firstWord: string;
  /** The fraction of training captions in a script without spaces that the tokenizer does not split. */
  readonly unsplitFraction: number;
}

/** What the default tokenizer does with scripts without spaces, and what to do. */
export const UNSPLIT_REMEDY =
  "--tokenizer nltk takes whole sentences for words; give --tokenizer unicode, which needs a new model";

/** Keeps `count` images of a dataset, chosen at random, in their order. */
export function limitExamples(dataset: Dataset, count: number, seed: number): Dataset {
  const lists = dataset.officialSplits;
  const listed = lists && new Set([...lists.train, ...lists.validation, ...lists.test]);
  const eligible = dataset.examples.filter(({ name }) => listed?.has(name) ?? true);
  const kept = new Set(new Random(seed).shuffle(eligible).slice(0, count));
  return {
    ...dataset,
    examples: dataset.examples.filter((example) => kept.has(example)),
    rows: dataset.rows.filter(({ example }) => kept.has(example)),
  };
}

/**
 * Splits, tokenizes and encodes a dataset by a recipe.
 *
 * @param seed Decides a random split.
 * @param initialWords The vocabulary of the model to fine-tune, which the dataset's words extend.
 * @throws {InputError} If a split or the vocabulary would be empty, or the tokenizer does not split the captions' script.
 */
export function prepareTrainingData(
  dataset: Dataset,
  recipe: Recipe,
  seed: number,
  initialWords?: readonly string[],
): TrainingData {
  const tokenize = tokenizerOf(recipe.tokenizer);
  const tokens = mapSplits(split(dataset, recipe, seed), ({ example, captions }) => ({
    example,
    captions: captions.map((caption) => tokenize(caption)),
  }));
  const trainTokens = tokens.train.flatMap(({ captions }) => captions);
  const unsplit = unsplitFraction(trainTokens);
  if (recipe.tokenizer === "nltk") refuseUnsplit(unsplit);
  const own = recipe.collation === "masked"
    ? Vocabulary.fromTokens(trainTokens, { minCount: recipe.minCount })
    : Vocabulary.notebook(dataset.rows.map(({ caption }) => tokenize(caption)));
  const vocabulary = initialWords === undefined ? own : new Vocabulary(initialWords).extend(own.words);
  if (recipe.collation === "masked" && vocabulary.size === Vocabulary.fromTokens([], {}).size) {
    throw new InputError(
      `Cannot train: no word occurs ${recipe.minCount} times in the ${trainTokens.length} training captions; ` +
        (recipe.minCount > 1 ? "give --set minCount=1" : "add captions"),
    );
  }
  const encode = recipe.collation === "masked" ? lrcnCaption : notebookCaption;
  return {
    vocabulary,
    firstWord: commonestFirst(trainTokens),
    unsplitFraction: recipe.tokenizer === "nltk" ? unsplit : 0,
    splits: mapSplits(tokens, ({ example, captions }) => ({
      example,
      captions: captions.map((caption) => encode(caption, vocabulary, recipe.maxLength)),
    })),
  };
}

/** Fraction of unsplit captions above which training is in vain. */
const MOSTLY = 0.5;

function refuseUnsplit(fraction: number): void {
  if (fraction <= MOSTLY) return;
  throw new InputError(
    `Cannot train: the captions are in a script without spaces between words, and ${UNSPLIT_REMEDY}`,
  );
}

interface TokenizableExample {
  readonly example: Example;
  readonly captions: readonly string[];
}

function split(dataset: Dataset, { splitBy }: Recipe, seed: number): Splits<TokenizableExample> {
  if (splitBy === "caption") {
    return mapSplits(
      splitByCaption(dataset.rows, { seed }),
      ({ example, caption }) => ({ example, captions: [caption] }),
    );
  }
  const { examples, officialSplits } = dataset;
  const splits = officialSplits ? splitOfficially(examples, officialSplits) : splitByImage(examples, { seed });
  return mapSplits(splits, (example) => ({ example, captions: example.captions }));
}

/**
 * Skips the examples whose images cannot be decoded.
 *
 * @throws {InputError} If training or validation set would be empty.
 */
export function keepDecoded(splits: Splits<EncodedExample>, decodable: readonly Example[]): Splits<EncodedExample> {
  const decoded = new Set(decodable);
  const kept = mapSplits(splits, (example) => example, ({ example }) => decoded.has(example));
  for (const [name, left] of Object.entries({ train: kept.train, validation: kept.validation })) {
    if (left.length === 0) {
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
    skipped: splits.skipped,
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

/** A digest of the training and validation examples in their order, and of the fingerprint of their pixels. */
export async function digestExamples(
  { train, validation }: Pick<Splits<EncodedExample>, "train" | "validation">,
  pixels: string,
): Promise<string> {
  const names = [train, validation].map((examples) => examples.map(({ example }) => example.name));
  return await sha256(JSON.stringify([...names, pixels]));
}
