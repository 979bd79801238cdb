import { basename, dirname, join, relative } from "node:path";
import { InputError } from "../input_error.ts";
import { isFile, listIfReadable } from "../files/list_folder.ts";
import { quoted } from "../printable.ts";
import { isImagesFolderName } from "./find_images.ts";
import type { CaptionData, CaptionRow, RejectedRow } from "./formats/caption_rows.ts";
import { EntrySplits } from "./formats/entry_splits.ts";
import { describeCompletion } from "./official_splits.ts";
import { splitOfName, splitOfPath, type SplitPart } from "./split_name.ts";

/** Reads the captions of one file, and collects the split of its images. */
export type ReadFile = (file: string, splits: EntrySplits) => Promise<CaptionData>;

/**
 * Reads files of captions and joins them. Their split is the one that their entries contain, else the one in the names
 * of several files or of their folders. Names of images are relative to the folder of their file if the images lie
 * there, and otherwise stay as they are.
 *
 * @param folder The dataset's folder.
 */
export async function joinCaptions(files: readonly string[], folder: string, readFile: ReadFile): Promise<CaptionData> {
  const rows: CaptionRow[] = [];
  const rejected: RejectedRow[] = [];
  const remarks: string[] = [];
  const splits = new EntrySplits();
  const byFile = splitsOfFiles(files, folder);
  let inEntries = false;
  for (const file of files) {
    const own = new EntrySplits();
    const read = await readFile(file, own);
    for (const row of read.rejected) rejected.push(row);
    for (const remark of read.remarks ?? []) remarks.push(remark);
    const prefix = files.length === 1 ? "" : await imagesPrefix(file, folder, read.rows);
    for (const { image, caption } of read.rows) {
      const name = prefix === "" ? image : `${prefix}/${image}`;
      const entered = own.partOf(image);
      inEntries ||= entered !== undefined;
      const part = entered ?? byFile?.get(file);
      const wrong = part === undefined ? undefined : splits.add(name, part);
      if (wrong === undefined) rows.push({ image: name, caption });
      else rejected.push({ file, reason: wrong });
    }
  }
  if (!inEntries) refuseHalfNamed(files, folder);
  const given = splits.given();
  if (Object.values(given).every(({ length }) => length === 0)) return { rows, rejected, remarks };
  const shown = files.map((file) => quoted(relative(folder, file))).join(", ");
  const source = inEntries || byFile === undefined ? `the split in ${shown}` : `the names of ${shown}`;
  const complete = splits.lists();
  if (complete === undefined) return { rows, rejected, remarks, splitSource: source };
  return { rows, rejected, remarks, splits: complete, splitSource: source, splitCompletion: describeCompletion(given) };
}

/** The split of each file by its name or its folder's; undefined unless each of several has one. */
function splitsOfFiles(files: readonly string[], folder: string): ReadonlyMap<string, SplitPart> | undefined {
  if (files.length === 1) return undefined;
  const parts = new Map<string, SplitPart>();
  for (const file of files) {
    const named = splitOfPath(relative(folder, file));
    if (named !== undefined) parts.set(file, named.part);
  }
  return parts.size === files.length ? parts : undefined;
}

/** A random split over a file that is named for validation or test would train on its images. */
function refuseHalfNamed(files: readonly string[], folder: string): void {
  if (files.length === 1) return;
  const named = files.map((file) => ({ file, part: splitOfPath(relative(folder, file))?.part }));
  const other = named.find(({ part }) => part === undefined);
  const heldOut = named.find(({ part }) => part === "validation" || part === "test");
  if (other === undefined || heldOut === undefined) return;
  throw new InputError(
    `Cannot split dataset: ${heldOut.file} is named for the ${heldOut.part} set, and the name of ${other.file} contains ` +
      "no split; rename one, or leave it out",
  );
}

/** The folder of a file's images, relative to the dataset's; empty if they lie elsewhere. */
async function imagesPrefix(file: string, folder: string, [first]: readonly CaptionRow[]): Promise<string> {
  const beside = dirname(file);
  if (beside === folder || first === undefined) return "";
  const inner = (await listIfReadable(beside, "images")).folders.filter(isImagesFolderName);
  for (const place of [beside, ...inner.map((name) => join(beside, name))]) {
    if (await isFile(join(place, first.image))) return relative(folder, place);
  }
  // An image is in one split, so that equal names in two of them are two images.
  return splitOfName(basename(beside)) === undefined ? "" : relative(folder, beside);
}
