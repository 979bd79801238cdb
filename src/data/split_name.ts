import type { OfficialSplits } from "./official_splits.ts";

/** One of the three parts of a dataset. */
export type SplitPart = keyof OfficialSplits;

/** The three parts in the order in which their images are read. */
export const SPLIT_PARTS: readonly SplitPart[] = ["train", "validation", "test"];

/** The words that name a part, as Hugging Face's datasets know them. */
const WORDS: Readonly<Record<string, SplitPart>> = {
  train: "train",
  training: "train",
  val: "validation",
  valid: "validation",
  validation: "validation",
  dev: "validation",
  test: "test",
  testing: "test",
};

/** Words beside a split's that do not tell datasets apart. */
const GENERIC = new Set(
  [
    "captions",
    "caption",
    "annotations",
    "annotation",
    "metadata",
    "images",
    "image",
    "data",
    "dataset",
    "set",
    "split",
  ],
);

/** `trainImages`, written in small letters. */
const COMPOUND = new RegExp(`^(${Object.keys(WORDS).join("|")})(images?|set|split)$`);

/** A split that a file's or folder's name contains. */
export interface NamedSplit {
  readonly part: SplitPart;
  /** The other parts of the name, in small letters: those of `Flickr_8k.trainImages.txt` are flickr, 8, k and images. */
  readonly rest: readonly string[];
}

/** The part that a word names, whatever its case. */
export function splitOfWord(word: string): SplitPart | undefined {
  const lower = word.toLowerCase();
  return Object.hasOwn(WORDS, lower) ? WORDS[lower] : undefined;
}

/** The words that {@linkcode splitOfWord} knows. */
export const SPLIT_WORDS: readonly string[] = Object.keys(WORDS);

/**
 * The split in the name of a file or folder. Only a whole part of the name counts, between separators, digits and
 * changes of case: `train2014`, `Flickr_8k.devImages.txt`, but not `latest.txt`, `festival.json` or `trainer`.
 *
 * @returns Undefined if there is none, or there are two: `train_test.txt`.
 */
export function splitOfName(name: string): NamedSplit | undefined {
  const found = new Set<SplitPart>();
  const rest: string[] = [];
  for (const word of nameParts(withoutEnding(name))) {
    const [, first = word, second] = COMPOUND.exec(word) ?? [];
    const part = splitOfWord(first);
    if (part === undefined) rest.push(word);
    else {
      found.add(part);
      if (second !== undefined) rest.push(second);
    }
  }
  const [part, other] = found;
  return part === undefined || other !== undefined ? undefined : { part, rest };
}

/** A split that a path contains. */
export interface PathSplit {
  readonly part: SplitPart;
  /**
   * What must be equal in the paths of a dataset's splits: the same for `captions_train2014.json` and `val2014.json`, but
   * not for `train_station.json` and `test_drive.json`.
   */
  readonly common: string;
}

/** The split in the names of a file and its folders; undefined if there is none, or there are two. */
export function splitOfPath(path: string): PathSplit | undefined {
  const names = path.split("/");
  const found = names.map(splitOfName);
  const [part, other] = new Set(found.flatMap((named) => named?.part ?? []));
  if (part === undefined || other !== undefined) return undefined;
  const rests = names.map((name, index) => found[index]?.rest ?? nameParts(withoutEnding(name)));
  return { part, common: rests.map((rest) => rest.filter((word) => !GENERIC.has(word)).join(" ")).join("/") };
}

function withoutEnding(name: string): string {
  return name.replace(/\.[a-z]+$/i, "");
}

function nameParts(name: string): string[] {
  const parts = name.normalize("NFC").match(/\p{Lu}?\p{Ll}+|\p{Lu}+(?!\p{Ll})|\p{Lo}+|\p{N}+/gu) ?? [];
  return parts.map((part) => part.toLowerCase());
}
