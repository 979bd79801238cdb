import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { InputError } from "../input_error.ts";
import { readCaptions, type ReadCaptionsOptions } from "./read_captions.ts";
import { isFolder, listFolder, listIfReadable } from "../files/list_folder.ts";
import type { CaptionData, CaptionRow, RejectedRow } from "./formats/caption_rows.ts";
import { findCaptions } from "./find_captions.ts";
import type { CaptionsSource, Format } from "./format_names.ts";
import type { ImageFile } from "../images/image_file.ts";
import { findImages, isImagesFolderName } from "./find_images.ts";
import { caselessKey, pathParts } from "./image_names.ts";
import { matchSplits } from "./match_splits.ts";
import { splitByFolder } from "./folder_splits.ts";
import { readSplitLists } from "./split_lists.ts";
import type { OfficialSplits } from "./official_splits.ts";

/** Fraction of repeated captions that is remarkable. */
const MANY_REPEATED = 0.01;

/** An image with its captions: a file of its own, or a range of bytes in a tar. */
export interface Example extends ImageFile {
  /** The image's name in the captions; in a tar `shard.tar/key.jpg`. */
  readonly name: string;
  /** Its captions in file order, at least one. */
  readonly captions: readonly string[];
}

/** One caption with the example it belongs to. */
export interface CaptionedExample {
  /** The example. */
  readonly example: Example;
  /** One of its captions. */
  readonly caption: string;
}

/** Examples whose images have not been opened yet. */
export interface Dataset {
  /** The examples whose image files exist, in the order of the captions file. */
  readonly examples: readonly Example[];
  /** The captions of these examples in the order of the captions file. */
  readonly rows: readonly CaptionedExample[];
  /** Names in the captions file without an image. */
  readonly missing: readonly string[];
  /** The format of the captions, if they come from files. */
  readonly format?: Format;
  /** The captions files; empty for texts beside images. */
  readonly captionFiles?: readonly string[];
  /** Rows of these files that cannot be used. */
  readonly rejected?: readonly RejectedRow[];
  /** The official split, if the dataset has one. */
  readonly officialSplits?: OfficialSplits;
  /** The source of the official split: lists of names, the captions or their files, or the folders of images. */
  readonly splitsFrom?: "lists" | "captions" | "folders";
  /** The source of the split, for the user, even if it cannot be followed: "the split in 'captions.csv'". */
  readonly splitSource?: string;
  /** Images whose files have other names than in the captions, such as `a.png` for `a.jpg`. */
  readonly renamed?: readonly { readonly name: string; readonly path: string }[];
  /** What may surprise in the way it was read, a line each: repeated rows, for example. */
  readonly remarks?: readonly string[];
  /** Names in several of the lists; each stays in one, test first, then validation. */
  readonly inSeveralLists?: readonly string[];
  /** The first 16 hexadecimal digits of a SHA-256 over names and captions. */
  readonly fingerprint: string;
}

/** A dataset read from files. */
export type FileDataset = Dataset & Required<Pick<Dataset, "format" | "captionFiles" | "rejected">>;

/** Options of {@linkcode readDataset}: `data` or `captions` is required. */
export interface DatasetOptions extends ReadCaptionsOptions {
  /** A folder with captions and images, a captions file, or a tar shard. */
  data?: string | undefined;
  /**
   * The captions file, or several, which are joined.
   *
   * @default the captions file found in `data`
   */
  captions?: string | readonly string[] | undefined;
  /**
   * The format of the captions.
   *
   * @default detected from their content
   */
  format?: Format | undefined;
  /**
   * The folder of images.
   *
   * @default the images folder found in `data`, else beside the captions file
   */
  images?: string | undefined;
  /**
   * The folder of the official split lists.
   *
   * @default the split in the captions or in their files' names, else lists beside the captions file, in `data` or in
   * its subfolders, else the folders of the images if they are named for the splits
   */
  splits?: string | undefined;
}

/**
 * Finds a dataset's captions, images and official split, and reads everything but the images.
 *
 * @throws {InputError} If a file or folder is missing or wrong, no row can be used, or no image exists.
 *
 * @example A folder of captions and images, one of which is missing
 * ```ts
 * import assert from "node:assert/strict";
 * import { readDataset } from "@lrcn/lrcn/data";
 *
 * const data = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${data}/captions.txt`, "image,caption\nkite.jpg,A red kite .\nboat.jpg,A boat .\n");
 * await Deno.mkdir(`${data}/Images`);
 * await Deno.writeFile(`${data}/Images/kite.jpg`, new Uint8Array(8)); // it is not opened yet
 * const { format, examples, missing } = await readDataset({ data });
 * assert.equal(format, "kaggle");
 * assert.deepEqual(examples.map(({ name, captions }) => [name, captions]), [["kite.jpg", ["A red kite ."]]]);
 * assert.deepEqual(missing, ["boat.jpg"]);
 * await Deno.remove(data, { recursive: true });
 * ```
 */
export async function readDataset(options: DatasetOptions): Promise<FileDataset> {
  const source = await findCaptions(options);
  const data = options.data !== undefined && await isFolder(options.data) ? options.data : undefined;
  const { rows, rejected, images, remarks = [], ...own } = await readCaptions(source, options);
  const names = [...new Set(rows.map((row) => row.image))];
  const files = images === undefined
    ? await findImagesOf(names, source, { ...options, data })
    : imagesInPlace(images, options);
  const examples = groupByImage(rows, files);
  const distinct = [...new Set(examples.values())];
  const found = await findSplit({ source, own, examples, data, splits: options.splits, images: options.images });
  const matched = found && matchSplits(found.lists, examples);
  return {
    examples: distinct,
    rows: rows.flatMap(({ image, caption }) => {
      const example = examples.get(image);
      return example === undefined ? [] : [{ example, caption }];
    }),
    missing: names.filter((name) => !files.has(name)),
    format: source.format,
    captionFiles: source.files,
    rejected,
    renamed: images === undefined ? renamedImages(distinct) : [],
    remarks: [...remarks, ...remarkOnRepetition(distinct)],
    ...(found !== undefined && matched !== undefined && {
      officialSplits: matched.lists,
      splitsFrom: found.from,
      splitSource: found.source,
      inSeveralLists: matched.inSeveral,
    }),
    ...(found === undefined && own.splitSource !== undefined && { splitSource: own.splitSource }),
    fingerprint: fingerprintOf(distinct),
  };
}

interface FoundSplit {
  readonly lists: OfficialSplits;
  readonly from: NonNullable<Dataset["splitsFrom"]>;
  readonly source: string;
}

interface SplitSearch {
  readonly source: CaptionsSource;
  /** The split in the captions. */
  readonly own: Pick<CaptionData, "splits" | "splitSource" | "splitCompletion">;
  readonly examples: ReadonlyMap<string, Example>;
  readonly data: string | undefined;
  readonly splits: string | undefined;
  readonly images: string | undefined;
}

/** The named lists, else the split in the captions, else lists beside them, else the folders of the images. */
async function findSplit(
  { source, own, examples, data, splits, images }: SplitSearch,
): Promise<FoundSplit | undefined> {
  if (splits === undefined && own.splits !== undefined && hasHeldOutImages(own.splits, examples)) {
    return { lists: own.splits, from: "captions", source: `${own.splitSource}${own.splitCompletion ?? ""}` };
  }
  const folders = source.format === "folder" ? [] : await listFolders(source, data);
  for (const folder of splits === undefined ? new Set(folders) : [splits]) {
    const found = await readSplitLists(folder);
    if (found !== undefined && (found.certain || namesAny(found.lists, examples))) {
      return { lists: found.lists, from: "lists", source: found.source };
    }
  }
  if (splits === undefined) return splitByFolder([...new Set(examples.values())], images ?? source.folder);
  throw new InputError(
    `Cannot read official splits: ${splits} has no lists named like Flickr_8k.trainImages.txt, devImages and testImages; ` +
      "name another folder with --splits or omit it",
  );
}

/** Whether lists name any example: a text called `train.txt` may be something else. */
function namesAny(lists: OfficialSplits, examples: ReadonlyMap<string, Example>): boolean {
  const { train } = matchSplits(lists, examples).lists;
  const names = new Set(examples.values().map(({ name }) => name));
  return train.some((name) => names.has(name));
}

/** Images whose names differ by more than folders, case and Unicode normalization. */
function renamedImages(examples: readonly Example[]): NonNullable<Dataset["renamed"]> {
  const last = (path: string) => caselessKey(pathParts(path).at(-1) ?? "");
  return examples.filter(({ name, path }) => last(name) !== last(path)).map(({ name, path }) => ({ name, path }));
}

async function findImagesOf(
  names: readonly string[],
  { files, folder }: CaptionsSource,
  { images, data }: DatasetOptions,
): Promise<ReadonlyMap<string, ImageFile>> {
  const beside = files.length === 1
    ? files.map((file) => dirname(file))
    : [folder, ...files.map((file) => dirname(file))];
  // COCO's images lie beside the folder of its captions.
  const above = beside.filter((path) => basename(path) === "annotations").map((path) => dirname(path));
  const roots = [...(data === undefined ? [] : [data]), ...beside, ...above];
  return await findImages(names, { images, roots: [...new Set(roots)], captions: files.join(" and ") });
}

function imagesInPlace(
  images: ReadonlyMap<string, ImageFile>,
  options: DatasetOptions,
): ReadonlyMap<string, ImageFile> {
  if (options.images === undefined) return images;
  throw new InputError(
    `Cannot read dataset: its images lie with their captions, not in ${options.images}; omit --images`,
  );
}

/**
 * Tells whether any validation or test image exists: people often download only COCO's training images, with the
 * captions of both parts.
 */
function hasHeldOutImages({ validation, test }: OfficialSplits, examples: ReadonlyMap<string, unknown>): boolean {
  return [...validation, ...test].some((name) => examples.has(name));
}

/** Where split lists may be: beside the captions, in the dataset's folder and in its subfolders. */
async function listFolders({ files, folder }: CaptionsSource, data: string | undefined): Promise<string[]> {
  const beside = files.length === 0 ? folder : dirname(files[0] ?? "");
  if (data === undefined) return [beside];
  const inner = (await listFolder(data, "dataset")).folders.filter((name) => !isImagesFolderName(name));
  const withFiles: string[] = [];
  for (const path of inner.map((name) => join(data, name))) {
    if ((await listIfReadable(path, "official splits")).files.length > 0) withFiles.push(path);
  }
  return [beside, data, ...withFiles];
}

/** Examples by name. Two spellings of one image's path are one example, so that no split can divide it. */
function groupByImage(
  rows: readonly CaptionRow[],
  files: ReadonlyMap<string, ImageFile>,
): ReadonlyMap<string, Example> {
  const byName = new Map<string, Example & { captions: string[] }>();
  const byLocation = new Map<string, Example & { captions: string[] }>();
  for (const { image: name, caption } of rows) {
    const file = files.get(name);
    if (file === undefined) continue;
    const location = `${file.offset ?? ""}:${file.path}`;
    const example = byLocation.get(location) ?? { name, ...file, captions: [] };
    example.captions.push(caption);
    byLocation.set(location, example);
    byName.set(name, example);
  }
  return byName;
}

/** Says that captions of an image are repeated. In published datasets a few people wrote the same. */
function remarkOnRepetition(examples: readonly Example[]): string[] {
  let [repeated, all] = [0, 0];
  for (const { captions } of examples) {
    all += captions.length;
    repeated += captions.length - new Set(captions).size;
  }
  return repeated > MANY_REPEATED * all
    ? [`${repeated} of ${all} captions repeat another of the same image, and each counts; remove repeated rows`]
    : [];
}

/** Hashes the JSON of all names and captions without holding it in memory. */
function fingerprintOf(examples: readonly Example[]): string {
  const hash = createHash("sha256").update("[");
  for (const [index, { name, captions }] of examples.entries()) {
    hash.update(`${index > 0 ? "," : ""}${JSON.stringify([name, captions])}`);
  }
  return hash.update("]").digest("hex").slice(0, 16);
}
