/**
 * The parts of a dataset, where its captions tell of each image which it belongs to.
 *
 * @module
 */

import { quoted } from "../../printable.ts";
import type { OfficialSplits } from "../official_splits.ts";

type Part = keyof OfficialSplits;

/** Karpathy's `restval` are the images of COCO's validation set that his split trains on. */
const PARTS: Readonly<Record<string, Part>> = {
  train: "train",
  restval: "train",
  val: "validation",
  dev: "validation",
  valid: "validation",
  validation: "validation",
  test: "test",
};

/** Gathers which image belongs to which part. */
export class EntrySplits {
  readonly #parts = new Map<string, Part>();

  /**
   * Puts an image into a part.
   *
   * @param image Its name.
   * @param split The part as it is written in the file, in small or capital letters.
   * @returns What is wrong with it, if anything: then nothing is changed.
   */
  add(image: string, split: string): string | undefined {
    const known = split.toLowerCase();
    const part = Object.hasOwn(PARTS, known) ? PARTS[known] : undefined;
    if (part === undefined) {
      return `has the split ${quoted(split)}, which is none of ${Object.keys(PARTS).join(", ")}`;
    }
    const other = this.#parts.get(image);
    if (other !== undefined && other !== part) {
      return `puts ${quoted(image)} into the ${part} split, and it is in the ${other} split already`;
    }
    this.#parts.set(image, part);
    return undefined;
  }

  /**
   * The three lists. Where only validation or test is missing, it gets every second image of the other by name.
   *
   * @returns The lists, or undefined where they are not enough to train, validate and test.
   */
  lists(): OfficialSplits | undefined {
    const names = (part: Part) => [...this.#parts].filter(([, its]) => its === part).map(([name]) => name);
    const lists = { train: names("train"), validation: names("validation"), test: names("test") };
    const { train, validation, test } = lists;
    if (train.length === 0) return undefined;
    if (validation.length > 0 && test.length > 0) return lists;
    const both = [...validation, ...test].sort();
    if (both.length < 2) return undefined;
    return {
      train,
      validation: both.filter((_, index) => index % 2 === 0),
      test: both.filter((_, index) => index % 2 === 1),
    };
  }
}
