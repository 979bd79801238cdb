import { join } from "node:path";
import { InputError } from "../input_error.ts";
import { quoted } from "../printable.ts";
import { listFolder } from "../files/list_folder.ts";
import { pairFiles } from "./formats/caption_folder.ts";
import { readTextFile } from "../files/text_file.ts";

import type { OfficialSplits } from "./official_splits.ts";

const patterns = {
  train: /train.*images.*\.txt$/i,
  validation: /(?:dev|val).*images.*\.txt$/i,
  test: /test.*images.*\.txt$/i,
} as const;

/**
 * Reads the three split lists in a folder: text files named like `Flickr_8k.trainImages.txt`, `Flickr_8k.devImages.txt`
 * (or `val`) and `Flickr_8k.testImages.txt`, one image name per line.
 *
 * @returns The lists, or undefined if the folder has none of the three.
 * @throws {InputError} If one or two of the three are missing, one is there twice, or a name is in two lists.
 */
export async function readSplitLists(folder: string): Promise<OfficialSplits | undefined> {
  const listing = (await listFolder(folder, "official splits")).files;
  // A text beside an image of the same name is that image's caption, whatever its name.
  const beside = new Set(pairFiles(listing).pairs.map(({ text }) => text));
  const files = listing.filter((file) => !beside.has(file));
  const found = {
    train: files.filter((file) => patterns.train.test(file)),
    validation: files.filter((file) => patterns.validation.test(file)),
    test: files.filter((file) => patterns.test.test(file)),
  };
  const parts = ["train", "validation", "test"] as const;
  if (parts.every((part) => found[part].length === 0)) return undefined;

  const lists: Record<typeof parts[number], string[]> = { train: [], validation: [], test: [] };
  const partOf = new Map<string, string>();
  for (const part of parts) {
    const [file, second] = found[part];
    if (file === undefined) {
      throw new InputError(
        `Cannot read official splits: ${folder} has no ${part} list; add it, or remove the other lists from there`,
      );
    }
    if (second !== undefined) {
      throw new InputError(
        `Cannot read official splits: ${quoted(file)} and ${
          quoted(second)
        } in ${folder} are both ${part} lists; remove one`,
      );
    }
    const text = await readTextFile(join(folder, file), "official splits");
    const names = new Set(text.split("\n").map((line) => line.trim()).filter((name) => name !== ""));
    for (const name of names) {
      const other = partOf.get(name);
      if (other !== undefined) {
        throw new InputError(
          `Cannot read official splits: ${quoted(name)} is in the ${other} list and in the ${part} list of ` +
            `${folder}; remove it from one`,
        );
      }
      partOf.set(name, part);
    }
    lists[part] = [...names];
  }
  return lists;
}
