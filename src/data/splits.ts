import { InputError } from "../input_error.ts";
import type { Example } from "./dataset.ts";
import { Random } from "../random.ts";
import type { OfficialSplits } from "./official_splits.ts";

/** A dataset in three parts; only the test set may be empty. */
export interface Splits<T> {
  /** The training set. */
  readonly train: readonly T[];
  /** The validation set. */
  readonly validation: readonly T[];
  /** The test set. */
  readonly test: readonly T[];
  /** Number of items in no part. */
  readonly skipped: number;
}

export interface SplitOptions {
  /** Seed of the shuffle, an integer from 0 to 2^53 - 1. */
  seed: number;
}

/**
 * Splits examples by a dataset's official lists, in the examples' order. Training needs no test set, so it may be
 * empty.
 *
 * @throws {InputError} If no example is in the train or validation list.
 */
export function splitOfficially(examples: readonly Example[], lists: OfficialSplits): Splits<Example> {
  function select(list: readonly string[], name: string): Example[] {
    const names = new Set(list);
    const selected = examples.filter((example) => names.has(example.name));
    if (selected.length === 0 && name !== "test") {
      throw new InputError(
        `Cannot split dataset: none of its ${examples.length} images is among the ${names.size} of the official ` +
          `${name} list; at least 1 is needed, so add images or name a folder of other lists with --splits`,
      );
    }
    return selected;
  }
  const train = select(lists.train, "train");
  const validation = select(lists.validation, "validation");
  const test = select(lists.test, "test");
  return { train, validation, test, skipped: examples.length - train.length - validation.length - test.length };
}

/**
 * Splits examples at random into 80% for training, 10% for validation and the rest for testing. An image's captions
 * stay together.
 *
 * @param examples At least 10.
 * @throws {InputError} If a part would be empty.
 */
export function splitByImage(examples: readonly Example[], options: SplitOptions): Splits<Example> {
  return splitAtRandom(examples, options, "images");
}

/**
 * Splits caption rows at random like the notebook: int(0.8 n) for training, int(0.1 n) for validation, the rest for
 * testing. Captions of one image fall into several parts, which makes validation scores too good.
 *
 * @param rows At least 10.
 * @throws {InputError} If a part would be empty.
 */
export function splitByCaption<T>(rows: readonly T[], options: SplitOptions): Splits<T> {
  return splitAtRandom(rows, options, "captions");
}

function splitAtRandom<T>(items: readonly T[], options: SplitOptions, what: string): Splits<T> {
  const trainCount = Math.trunc(0.8 * items.length);
  const validationCount = Math.trunc(0.1 * items.length);
  if (validationCount === 0) {
    throw new InputError(
      `Cannot split dataset: it has ${items.length} ${what}, and at least 10 are needed so that no part is empty; ` +
        "add images with captions",
    );
  }
  const shuffled = new Random(options.seed).shuffle(items);
  return {
    train: shuffled.slice(0, trainCount),
    validation: shuffled.slice(trainCount, trainCount + validationCount),
    test: shuffled.slice(trainCount + validationCount),
    skipped: 0,
  };
}
