import { quoted } from "../../printable.ts";
import type { OfficialSplits } from "../official_splits.ts";

type Part = keyof OfficialSplits;

/** Karpathy's `restval` are those images of COCO's validation set that his split trains on. */
const PARTS: Readonly<Record<string, Part>> = {
  train: "train",
  restval: "train",
  val: "validation",
  dev: "validation",
  valid: "validation",
  validation: "validation",
  test: "test",
};

/** Collects the split of each image, from captions that contain it. */
export class EntrySplits {
  readonly #parts = new Map<string, Part>();

  /**
   * Assigns an image to a split.
   *
   * @param split The split's name in the file, case-insensitive.
   * @returns The reason the split is refused, if it is.
   */
  add(image: string, split: string): string | undefined {
    const known = split.toLowerCase();
    const part = Object.hasOwn(PARTS, known) ? PARTS[known] : undefined;
    if (part === undefined) {
      return `has the split ${quoted(split)}, which is not one of ${Object.keys(PARTS).join(", ")}`;
    }
    const other = this.#parts.get(image);
    if (other !== undefined && other !== part) {
      return `puts ${quoted(image)} into the ${part} split, and it is in the ${other} split already`;
    }
    this.#parts.set(image, part);
    return undefined;
  }

  /**
   * The three lists. If only validation or test is missing, it gets every second image of the other by name. Undefined
   * if the images do not suffice to train, validate and test.
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
