import { printable, quoted } from "../printable.ts";
import type { Dataset } from "./dataset.ts";

/** Files that are named before the others are counted. */
const SHOWN = 4;

/** How a training splits its data. */
export interface SplitChoice {
  /** What falls into one split. */
  readonly splitBy: "image" | "caption";
  /** The seed of a random split. */
  readonly seed: number;
}

/** Where a dataset's captions come from: "captions.csv", "texts beside the images". */
export function describeCaptionFiles({ captionFiles = [] }: Pick<Dataset, "captionFiles">): string {
  if (captionFiles.length === 0) return "texts beside the images";
  const more = captionFiles.length - SHOWN;
  return printable(captionFiles.slice(0, SHOWN).join(", ")) + (more > 0 ? ` and ${more} more` : "");
}

/** How a dataset is split and by what: "by the lists ...", "at random with seed 0". */
export function describeSplit(
  { officialSplits, splitSource }: Pick<Dataset, "officialSplits" | "splitSource">,
  { splitBy, seed }: SplitChoice,
): string {
  const source = splitSource === undefined ? undefined : printable(splitSource);
  if (splitBy === "image" && officialSplits !== undefined) return `by ${source ?? "the dataset"}`;
  const random = `${splitBy}s at random with seed ${seed}`;
  if (source === undefined) return random;
  return splitBy === "caption"
    ? `${random}, not by ${source}`
    : `${random}: ${source} leaves no image to train or validate with`;
}

/** Says which images have another name on disk than in the captions; undefined if none has. */
export function describeRenamed({ renamed = [] }: Pick<Dataset, "renamed">): string | undefined {
  const [first] = renamed;
  if (first === undefined) return undefined;
  const are = renamed.length === 1 ? "image has another name on disk" : "images have other names on disk";
  return `${renamed.length} ${are}, the first: ${quoted(first.name)} is ${printable(first.path)}`;
}
