import { join } from "node:path";
import { InputError } from "../input_error.ts";
import { quoted } from "../printable.ts";
import { listFolder } from "../files/list_folder.ts";
import { pairFiles } from "./formats/caption_folder.ts";
import { readTextFile } from "../files/text_file.ts";
import { completeSplits, describeCompletion, type OfficialSplits } from "./official_splits.ts";
import { SPLIT_PARTS, splitOfName, type SplitPart } from "./split_name.ts";

/** Texts about a dataset. */
const ABOUT = /read_?me|licen[cs]e/i;

/** The official split of a dataset as lists of names. */
export interface SplitLists {
  readonly lists: OfficialSplits;
  /** The source of the split, for the user. */
  readonly source: string;
  /** Whether the names of the files leave no doubt that they are lists of images. */
  readonly certain: boolean;
}

/**
 * Reads the three split lists in a folder: text files named like `Flickr_8k.trainImages.txt`, `Flickr_8k.devImages.txt`
 * (or `val`) and `Flickr_8k.testImages.txt`, one image name per line. Otherwise `train.txt` with `val.txt` or `test.txt`
 * may be such lists.
 *
 * @returns The lists, or undefined if the folder has none.
 * @throws {InputError} If one or two of the three are missing, one is there twice, or a name is in two lists.
 */
export async function readSplitLists(folder: string): Promise<SplitLists | undefined> {
  const listing = (await listFolder(folder, "official splits")).files;
  // A text beside an image of the same name is that image's caption, whatever its name.
  const beside = new Set(pairFiles(listing).pairs.map(({ text }) => text));
  const texts = listing.filter((name) => /\.txt$/i.test(name) && !ABOUT.test(name) && !beside.has(name));
  const ofImages = texts.filter((name) => {
    const rest = splitOfName(name)?.rest ?? [];
    return rest.some((word) => /^images?$/.test(word)) && !rest.some((word) => /^captions?$/.test(word));
  });
  const bare = texts.filter((name) => splitOfName(name)?.rest.length === 0);
  if (ofImages.length > 0) return { ...await readLists(folder, onePerPart(ofImages, folder)), certain: true };
  const parts = new Set(bare.map((name) => splitOfName(name)?.part));
  if (!parts.has("train") || parts.size < 2 || parts.size < bare.length) return undefined;
  try {
    const { lists, source } = await readLists(folder, new Map(bare.map((name) => [splitOfName(name)?.part, name])));
    const complete = completeSplits(lists);
    return complete && { lists: complete, source: `${source}${describeCompletion(lists)}`, certain: false };
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

function onePerPart(files: readonly string[], folder: string): ReadonlyMap<SplitPart, string> {
  const found = Map.groupBy(files, (file) => splitOfName(file)?.part);
  const lists = new Map<SplitPart, string>();
  for (const part of SPLIT_PARTS) {
    const [file, second] = found.get(part) ?? [];
    if (file === undefined) {
      throw new InputError(
        `Cannot read official splits: ${folder} has no ${part} list beside ${
          files.map(quoted).join(" and ")
        }; add it, ` +
          "or rename or remove what is not such a list",
      );
    }
    if (second !== undefined) {
      throw new InputError(
        `Cannot read official splits: ${quoted(file)} and ${
          quoted(second)
        } in ${folder} are both ${part} lists; remove one`,
      );
    }
    lists.set(part, file);
  }
  return lists;
}

async function readLists(
  folder: string,
  files: ReadonlyMap<SplitPart | undefined, string>,
): Promise<Pick<SplitLists, "lists" | "source">> {
  const lists: Record<SplitPart, string[]> = { train: [], validation: [], test: [] };
  const partOf = new Map<string, SplitPart>();
  for (const part of SPLIT_PARTS) {
    const file = files.get(part);
    if (file === undefined) continue;
    const text = await readTextFile(join(folder, file), "official splits");
    const names = new Set(text.split("\n").map((line) => line.trim()).filter((name) => name !== ""));
    for (const name of names) {
      const other = partOf.get(name);
      if (other !== undefined) {
        throw new InputError(
          `Cannot read official splits: ${
            quoted(name)
          } is in the ${other} list and in the ${part} list of ${folder}, ` +
            `${quoted(files.get(other) ?? "")} and ${quoted(file)}; remove it from one`,
        );
      }
      partOf.set(name, part);
    }
    lists[part] = [...names];
  }
  return { lists, source: `the lists ${[...files.values()].map(quoted).join(", ")} in ${folder}` };
}
