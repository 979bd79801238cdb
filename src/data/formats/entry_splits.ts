import { quoted } from "../../printable.ts";
import { completeSplits, type OfficialSplits } from "../official_splits.ts";
import { SPLIT_WORDS, splitOfWord, type SplitPart } from "../split_name.ts";

/** Those images of COCO's validation set that Karpathy's split trains on. */
const RESTVAL = "restval";

/** Collects the split of each image, from captions that contain it. */
export class EntrySplits {
  readonly #parts = new Map<string, SplitPart>();

  /**
   * Assigns an image to a split.
   *
   * @param split The split's name in the file, case-insensitive.
   * @returns The reason the split is refused, if it is.
   */
  add(image: string, split: string): string | undefined {
    const part = split.toLowerCase() === RESTVAL ? "train" : splitOfWord(split);
    if (part === undefined) {
      return `has the split ${quoted(split)}, which is not one of ${SPLIT_WORDS.toSpliced(1, 0, RESTVAL).join(", ")}`;
    }
    const other = this.#parts.get(image);
    if (other !== undefined && other !== part) {
      return `puts ${quoted(image)} into the ${part} split, and it is in the ${other} split already`;
    }
    this.#parts.set(image, part);
    return undefined;
  }

  /** The split of an image; undefined if it has none. */
  partOf(image: string): SplitPart | undefined {
    return this.#parts.get(image);
  }

  /** The completed lists; undefined if the images do not suffice to train and validate. */
  lists(): OfficialSplits | undefined {
    return completeSplits(this.given());
  }

  /** The three lists as they were given, any of which may be empty. */
  given(): OfficialSplits {
    const names = (part: SplitPart) => [...this.#parts].filter(([, its]) => its === part).map(([name]) => name);
    return { train: names("train"), validation: names("validation"), test: names("test") };
  }
}
