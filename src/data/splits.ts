/**
 * Train, validation and test splits.
 *
 * @module
 */

import { InputError } from "../input_error.ts";
import type { Example } from "./dataset.ts";
import { Random } from "../random.ts";
import type { OfficialSplits } from "./official_splits.ts";

/** A dataset in three parts, each in its own order; all but the test have at least one item. */
export interface Splits<T> {
  /** What is learnt from. */
  readonly train: readonly T[];
  /** What the best checkpoint is chosen by. */
  readonly validation: readonly T[];
  /** What is kept for the last word. */
  readonly test: readonly T[];
  /** How many items are in no part. */
  readonly skipped: number;
}

/** Options of {@linkcode splitByImage} and {@linkcode splitByCaption}. */
export interface SplitOptions {
  /** The seed of the shuffle, an integer from 0 to 2^53 - 1. */
  seed: number;
}

/**
 * Splits images by a dataset's official lists. The parts keep the order of the images. Training needs no test:
 * that part may be empty.
 *
 * @param images The images to split.
 * @param lists The names in each part.
 * @throws {InputError} If the train or the validation list has no image here.
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
 * Splits images at random into 80% for training, 10% for validation and the rest for the test. A image's
 * captions stay together.
 *
 * @param images The images to split, at least 10.
 * @param options The seed.
 * @throws {InputError} If a part would be empty.
 */
export function splitByImage(examples: readonly Example[], options: SplitOptions): Splits<Example> {
  return splitAtRandom(examples, options, "images");
}

/**
 * Splits caption rows at random as the notebook does: int(0.8 n) for training, int(0.1 n) for validation, the rest for the
 * test. Captions of one image fall into several parts, which flatters validation.
 *
 * @param rows The captions to split, at least 10.
 * @param options The seed.
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
