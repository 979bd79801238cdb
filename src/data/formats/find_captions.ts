/**
 * Finding the captions of a dataset, and their format.
 *
 * @module
 */

import { basename, dirname, join, relative } from "node:path";
import { quoted } from "../../printable.ts";
import { InputError } from "../../input_error.ts";
import { isFolder, listFolder, listIfReadable } from "../../files/list_folder.ts";
import { isImagesFolderName } from "../find_images.ts";
import { isCaptionFolder, pairFiles } from "./caption_folder.ts";
import { cocoPart } from "./coco_captions.ts";
import { type CaptionsSource, type Format, FORMAT_NAMES } from "./format.ts";
import { lookAtFile } from "./format_of_file.ts";
import { isWebdataset } from "./webdataset.ts";

/** What {@linkcode findCaptions} goes by: `data` or `captions` must be given. */
export interface FindCaptionsOptions {
  /** A folder, or a file as for `captions`. */
  readonly data?: string | undefined;
  /** The captions file, or a tar shard. */
  readonly captions?: string | undefined;
  /** The format, where it is known. */
  readonly format?: Format | undefined;
}

const CAPTION_FILE = /\.(?:txt|csv|token|json|jsonl|ndjson)$/i;
const TAR_FILE = /\.tar$/i;
const ARCHIVE = /\.(?:tar\.\w+|tgz|gz|zip)$/i;
/** The formats that are text in one file. */
const TEXT_FORMATS: readonly Format[] = ["kaggle", "flickr-token", "flickr30k-csv", "karpathy", "coco", "json"];
/** So many files that hold no captions are named with the reason. */
const MAX_REASONS = 3;
/** Of a folder with more files than that, the others are passed over: captions are few and large. */
const MAX_LOOKED_AT = 100;

/**
 * Finds captions by looking into files. In a folder, the first of these has them: the folder itself, the folders in it that
 * do not hold images by their name, those that do. Where a format is named, the only text of the first folder is taken to be in
 * it. COCO's files for training and validation of one year belong together, though only one is named.
 *
 * @param options Where to look.
 * @returns The captions that were found.
 * @throws {InputError} If there are none, or several.
 *
 * @example A folder with a CSV file
 * ```ts
 * import assert from "node:assert/strict";
 * import { findCaptions } from "@lrcn/lrcn";
 *
 * const { format, files } = await findCaptions({ data: "docs/example/scenes" });
 * assert.equal(format, "kaggle");
 * assert.match(files[0] ?? "", /captions\.csv$/);
 * ```
 */
export async function findCaptions(options: FindCaptionsOptions): Promise<CaptionsSource> {
  const { data, format } = options;
  const file = options.captions ?? (data !== undefined && !await isFolder(data) ? data : undefined);
  if (file !== undefined) return await sourceOfFile(file, format);
  if (data === undefined) {
    throw new InputError(
      "Cannot read dataset: no captions are named; give --data PATH, or --captions FILE and --images DIR",
    );
  }
  if (format === "folder") return { format, files: [], folder: data };
  for (const folders of await searchedFolders(data)) {
    const found = await candidatesIn(folders, format);
    const [first, second] = found;
    if (second !== undefined) throw severalCandidates(data, found);
    if (first !== undefined) return { ...first, folder: data };
  }
  if (format === undefined && await isCaptionFolder(data)) return { format: "folder", files: [], folder: data };
  const texts = await textsIn(data);
  const [only] = texts;
  // Its reader says what is wrong with it.
  if (only !== undefined && texts.length === 1 && format !== undefined && TEXT_FORMATS.includes(format)) {
    return { format, files: [only], folder: data };
  }
  const refused = await refusedFiles(data);
  const known = "captions.txt, Flickr8k.token.txt, results.csv, dataset_*.json, captions_*.json, JSON Lines, " +
    "tar shards, or photo.txt beside photo.jpg";
  throw new InputError(
    `Cannot read dataset: there are no captions${
      format === undefined ? "" : ` of format ${format}`
    } in ${data} (${known}); ` + (refused === "" ? "name the file with --captions" : refused),
  );
}

async function sourceOfFile(file: string, format: Format | undefined): Promise<CaptionsSource> {
  if (await isFolder(file)) throw new InputError(`Cannot read captions: ${file} is a folder; name a file in it`);
  const folder = dirname(file);
  if (format === "folder") {
    throw new InputError(
      `Cannot read captions: ${file} is a file, and --format folder needs a folder; give --data DIR`,
    );
  }
  if (format !== undefined) return { format, files: await withCocoSibling(file, format), folder };
  const look = await lookAtFile(file);
  const found = look.format ?? look.guess;
  if (found !== undefined) return { format: found, files: await withCocoSibling(file, found), folder };
  throw new InputError(
    look.kind !== undefined
      ? `Cannot read captions: ${file} is ${look.kind.name}; ${look.kind.remedy}`
      : `Cannot read captions: ${file} is in no format that is known; name one with --format (${
        FORMAT_NAMES.join(", ")
      })`,
  );
}

/** The folder, those in it, and those that hold images by their name: they may be large, and come last. */
async function searchedFolders(data: string): Promise<string[][]> {
  const { folders } = await listFolder(data, "dataset");
  const inner = (names: readonly string[], parent: string) => names.map((name) => join(parent, name));
  const forImages = inner(folders.filter(isImagesFolderName), data);
  return [[data], inner(folders.filter((name) => !isImagesFolderName(name)), data), forImages];
}

type Candidate = Pick<CaptionsSource, "format" | "files">;

async function candidatesIn(folders: readonly string[], format: Format | undefined): Promise<Candidate[]> {
  const found: Candidate[] = [];
  const allShards: string[] = [];
  let hasPairs = false;
  for (const folder of folders) {
    const listing = await listIfReadable(folder, "dataset");
    for (const path of (await textsIn(folder)).slice(0, MAX_LOOKED_AT)) {
      const its = await formatIn(path);
      if (its !== undefined) found.push({ format: its, files: [path] });
    }
    const shards = listing.files.filter((name) => TAR_FILE.test(name)).map((name) => join(folder, name));
    if (shards.length > 0 && (format === "webdataset" || await hasWebdataset(shards))) {
      for (const shard of shards) allShards.push(shard);
    }
    hasPairs ||= pairFiles(listing.files).pairs.length > 0;
  }
  if (allShards.length > 0) found.push({ format: "webdataset", files: allShards });
  if (hasPairs) found.push({ format: "folder", files: [] });
  const wanted = found.filter((candidate) => format === undefined || candidate.format === format);
  return withoutLemmas(joinCoco(wanted));
}

/** Texts that could be captions and do not belong to one image, those with known names first. */
async function textsIn(folder: string): Promise<string[]> {
  const { files } = await listIfReadable(folder, "dataset");
  const beside = new Set(pairFiles(files).pairs.map(({ text }) => text));
  const texts = files.filter((name) => CAPTION_FILE.test(name) && !beside.has(name));
  return texts.sort(byKnownName).map((name) => join(folder, name));
}

/** Whether one of some tars has captions: an archive of images may lie beside them. */
async function hasWebdataset(shards: readonly string[]): Promise<boolean> {
  for (const shard of shards.slice(0, MAX_LOOKED_AT)) if (await isWebdataset(shard)) return true;
  return false;
}

/** Why files of a folder that look like captions are none, some of them. */
async function refusedFiles(folder: string): Promise<string> {
  const { files } = await listIfReadable(folder, "dataset");
  const reasons: string[] = [];
  const looked = files.filter((name) => [CAPTION_FILE, TAR_FILE, ARCHIVE].some((pattern) => pattern.test(name)));
  for (const name of looked.sort(byKnownName)) {
    if (reasons.length === MAX_REASONS) break;
    try {
      const { format, kind, firstLine } = await lookAtFile(join(folder, name));
      if (kind !== undefined) reasons.push(`${quoted(name)} is ${kind.name}, ${kind.remedy}`);
      else if (format === "webdataset") {
        reasons.push(`${quoted(name)} has no key.txt or key.json with a key.jpg (a key ends at the first dot)`);
      } else if (firstLine !== undefined) {
        reasons.push(
          `${quoted(name)} begins with the line ${quoted(firstLine)}, where captions.txt has 'image,caption'`,
        );
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      reasons.push(error.message);
    }
  }
  return reasons.join("; ");
}

async function formatIn(path: string): Promise<Format | undefined> {
  try {
    const { format, guess } = await lookAtFile(path);
    return format ?? (/^captions\.(?:txt|csv)$/i.test(basename(path)) ? guess : undefined);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

function byKnownName(a: string, b: string): number {
  const known = /caption|token|results|dataset/i;
  return Number(known.test(b)) - Number(known.test(a)) || (a < b ? -1 : 1);
}

/** COCO's file with that of the same year for the other part, where it lies beside it. */
async function withCocoSibling(file: string, format: Format): Promise<string[]> {
  const name = basename(file).replace(/train|val/i, (part) => part.toLowerCase() === "train" ? "val" : "train");
  const sibling = join(dirname(file), name);
  const isOne = format === "coco" && name !== basename(file) && await formatIn(sibling) === "coco";
  return isOne ? [file, sibling].sort(trainFirst) : [file];
}

/** The order of images depends on it. */
function trainFirst(a: string, b: string): number {
  return Number(cocoPart(a).split === "val") - Number(cocoPart(b).split === "val");
}

/** One training and one validation file of the same year are one dataset. */
function joinCoco(candidates: readonly Candidate[]): Candidate[] {
  const joined: Candidate[] = [];
  const byYear = new Map<string, string[]>();
  for (const candidate of candidates) {
    const [file = ""] = candidate.files;
    const { split, year } = cocoPart(file);
    const others = byYear.get(year);
    if (candidate.format !== "coco" || split === undefined) joined.push(candidate);
    else if (others?.length === 1 && cocoPart(others[0] ?? "").split !== split) {
      others.push(file);
      others.sort(trainFirst);
    } else {
      const files = [file];
      byYear.set(year, files);
      joined.push({ format: "coco", files });
    }
  }
  return joined;
}

/** Flickr8k has its captions a second time with words in their basic forms. */
function withoutLemmas(candidates: readonly Candidate[]): Candidate[] {
  const others = candidates.filter(({ format, files }) =>
    format !== "flickr-token" || !files.some((file) => /lemma/i.test(basename(file)))
  );
  return others.length > 0 ? others : [...candidates];
}

function severalCandidates(data: string, candidates: readonly Candidate[]): InputError {
  const words = candidates.slice(0, 3).map(({ format, files }) => {
    const [file] = files;
    return file === undefined ? `texts beside images (${format})` : `${quoted(relative(data, file))} (${format})`;
  });
  const more = candidates.length > words.length ? ` and ${candidates.length - words.length} more` : "";
  const formats = new Set(candidates.map(({ format }) => format));
  return new InputError(
    `Cannot read dataset: ${data} has several captions files, ${words.join(" and ")}${more}; name one with --captions` +
      (formats.size > 1 ? ", or its format with --format" : ""),
  );
}
