/**
 * Photographs with their captions, found in the folders of the datasets that people have.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { InputError } from "../input_error.ts";
import { type CaptionRow, readCaptions } from "./captions.ts";
import { listFolder } from "./folder.ts";
import { findImages, isImagesFolderName } from "./images_folder.ts";
import { type OfficialSplits, readSplitLists } from "./split_lists.ts";

/** An image file and its captions. */
export interface Photograph {
  /** The file's name as the captions file has it. */
  readonly name: string;
  /** Where the file is. */
  readonly path: string;
  /** Its captions in file order, at least one. */
  readonly captions: readonly string[];
}

/** One caption with the photograph that it describes. */
export interface CaptionedPhotograph {
  /** The photograph. */
  readonly photograph: Photograph;
  /** One of its captions. */
  readonly caption: string;
}

/** A dataset as it lies on the disk; no image has been opened yet. */
export interface Dataset {
  /** The photographs whose files are there, in the order of the captions file. */
  readonly photographs: readonly Photograph[];
  /** The captions of these photographs in the order of the captions file. */
  readonly rows: readonly CaptionedPhotograph[];
  /** Names in the captions file for which there is no image. */
  readonly missing: readonly string[];
  /** The authors' own split, where its lists are there. */
  readonly officialSplits?: OfficialSplits;
  /** The first 16 hexadecimal digits of a SHA-256 over names and captions. */
  readonly fingerprint: string;
}

/** Options of {@linkcode readDataset}: `data` or `captions` must be given. */
export interface DatasetOptions {
  /** A folder with a captions file and images in it. */
  data?: string | undefined;
  /**
   * The captions file.
   *
   * @default the captions file found in `data`
   */
  captions?: string | undefined;
  /**
   * The folder of images.
   *
   * @default the images folder found in `data`, else beside the captions file
   */
  images?: string | undefined;
  /**
   * The folder of the official split lists.
   *
   * @default the folder of the captions file, else `data` and the folders in it
   */
  splits?: string | undefined;
}

/**
 * Finds a dataset's captions, images and official split lists, and reads all but the images.
 *
 * @param options Where to look.
 * @throws {InputError} If a file or folder is missing or wrong, or none of the images is there.
 *
 * @example Reading Flickr8k
 * ```ts
 * import { readDataset } from "./dataset.ts";
 *
 * const dataset = await readDataset({ data: "flickr8k" });
 * console.log(dataset.photographs.length, dataset.missing.length, dataset.officialSplits !== undefined);
 * ```
 */
export async function readDataset(options: DatasetOptions): Promise<Dataset> {
  const folders = options.data === undefined ? [] : await dataFolders(options.data);
  const captions = options.captions ?? await findCaptions(options.data, folders);
  const rows = await readCaptions(captions);
  const names = [...new Set(rows.map((row) => row.image))];
  const roots = options.data === undefined ? [dirname(captions)] : [options.data, dirname(captions)];
  const paths = await findImages(names, { images: options.images, roots, captions });
  const officialSplits = await findSplitLists(options.splits, [dirname(captions), ...folders]);
  const photographs = groupByPhotograph(rows, paths);
  return {
    photographs: [...photographs.values()],
    rows: rows.flatMap(({ image, caption }) => {
      const photograph = photographs.get(image);
      return photograph === undefined ? [] : [{ photograph, caption }];
    }),
    missing: names.filter((name) => !paths.has(name)),
    ...(officialSplits === undefined ? {} : { officialSplits }),
    fingerprint: await fingerprintOf([...photographs.values()]),
  };
}

/** The folder and those in it, without the ones that hold images by their name: they may be large. */
async function dataFolders(data: string): Promise<string[]> {
  const { folders } = await listFolder(data, "dataset");
  return [data, ...folders.filter((name) => !isImagesFolderName(name)).map((name) => join(data, name))];
}

async function findCaptions(data: string | undefined, folders: readonly string[]): Promise<string> {
  if (data === undefined) {
    throw new InputError(
      "Cannot read dataset: no captions are named; give --data DIR, or --captions FILE and --images DIR",
    );
  }
  for (const folder of folders) {
    const { files } = await listFolder(folder, "dataset");
    const known = ["captions.txt", "Flickr8k.token.txt"].find((name) => files.includes(name));
    if (known !== undefined) return join(folder, known);
    const [file, second] = files.filter((name) => name.endsWith(".token"));
    if (second !== undefined) {
      throw new InputError(
        `Cannot read dataset: ${folder} has several captions files, "${file}" and "${second}"; name one with --captions`,
      );
    }
    if (file !== undefined) return join(folder, file);
  }
  throw new InputError(
    `Cannot read dataset: there is no captions.txt, Flickr8k.token.txt or *.token in ${data}; name the file with --captions`,
  );
}

async function findSplitLists(
  splits: string | undefined,
  folders: readonly string[],
): Promise<OfficialSplits | undefined> {
  for (const folder of splits === undefined ? new Set(folders) : [splits]) {
    const lists = await readSplitLists(folder);
    if (lists !== undefined) return lists;
  }
  if (splits === undefined) return undefined;
  throw new InputError(
    `Cannot read official splits: ${splits} has no lists named like Flickr_8k.trainImages.txt, devImages and testImages; ` +
      "name another folder with --splits or leave it out",
  );
}

function groupByPhotograph(
  rows: readonly CaptionRow[],
  paths: ReadonlyMap<string, string>,
): ReadonlyMap<string, Photograph> {
  const photographs = new Map<string, Photograph & { captions: string[] }>();
  for (const { image: name, caption } of rows) {
    const path = paths.get(name);
    if (path === undefined) continue;
    const photograph = photographs.get(name);
    if (photograph === undefined) photographs.set(name, { name, path, captions: [caption] });
    else photograph.captions.push(caption);
  }
  return photographs;
}

async function fingerprintOf(photographs: readonly Photograph[]): Promise<string> {
  const text = JSON.stringify(photographs.map(({ name, captions }) => [name, captions]));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex().slice(0, 16);
}
