import { basename, dirname, join, relative } from "node:path";
import { quoted } from "../printable.ts";
import { InputError } from "../input_error.ts";
import { isFolder, listFolder, listIfReadable } from "../files/list_folder.ts";
import { isImagesFolderName } from "./find_images.ts";
import { describeUnpaired, isCaptionFolder, pairFiles } from "./formats/caption_folder.ts";
import { type CaptionsSource, type Format, FORMAT_NAMES } from "./format_names.ts";
import { detectFormat } from "./detect_format.ts";
import { OTHER_ENDING } from "./file_kind.ts";
import { SPLIT_PARTS, splitOfName, splitOfPath, type SplitPart } from "./split_name.ts";
import { isWebdataset } from "./formats/webdataset.ts";

/** Options of {@linkcode findCaptions}: `data` or `captions` is required. */
export interface FindCaptionsOptions {
  /** A folder, or a file as for `captions`. */
  readonly data?: string | undefined;
  /** The captions file, or a tar shard; several files in one format are joined. */
  readonly captions?: string | readonly string[] | undefined;
  /** The format, if it is known. */
  readonly format?: Format | undefined;
}

const CAPTION_FILE = /\.(?:txt|csv|tsv|token|json|jsonl|ndjson)$/i;
const TAR_FILE = /\.tar$/i;
/** Formats of a single text file. */
const TEXT_FORMATS: readonly Format[] = [
  "kaggle",
  "flickr-token",
  "flickr30k-csv",
  "karpathy",
  "coco",
  "json",
  "json-map",
];
/** Maximum number of unsuitable files an error message explains. */
const MAX_REASONS = 3;
/** Maximum number of files to inspect in a folder: captions are few and large. */
const MAX_INSPECTED = 100;

/**
 * Finds captions by inspecting files. A folder is searched first, then its subfolders, then those named like image
 * folders; the first of these levels with captions wins. If a format is given, a single text in the first folder is
 * assumed to have it. Files in one format whose names or folders differ only in the split (`train.json` and `val.json`,
 * `train/metadata.csv` and `test/metadata.csv`) belong together; COCO's also if only one is named.
 *
 * @throws {InputError} If there are no captions, or several candidates.
 *
 * @example A folder with a CSV file
 * ```ts
 * import assert from "node:assert/strict";
 * import { findCaptions } from "@lrcn/lrcn/data";
 *
 * const { format, files } = await findCaptions({ data: "docs/example/scenes" });
 * assert.equal(format, "kaggle");
 * assert.match(files[0] ?? "", /captions\.csv$/);
 * ```
 */
export async function findCaptions(options: FindCaptionsOptions): Promise<CaptionsSource> {
  const { data, format } = options;
  const named = [options.captions ?? (data !== undefined && !await isFolder(data) ? data : [])].flat();
  const [file] = named;
  if (named.length > 1) return await sourceOfFiles(named, format);
  if (file !== undefined) return await sourceOfFile(file, format);
  if (data === undefined) {
    throw new InputError(
      "Cannot read dataset: no captions are named; give --data PATH, or --captions FILE and --images DIR",
    );
  }
  if (format === "folder") return { format, files: [], folder: data };
  for (const folders of await searchedFolders(data)) {
    const found = await candidatesIn(folders, { data, format });
    const [first, second] = found;
    if (second !== undefined) throw severalCandidates(data, found);
    if (first !== undefined) return { ...first, folder: data };
  }
  if (format === undefined && await isCaptionFolder(data)) return { format: "folder", files: [], folder: data };
  const texts = await textsIn(data);
  const [only] = texts;
  // Its reader reports what is wrong with it.
  if (only !== undefined && texts.length === 1 && format !== undefined && TEXT_FORMATS.includes(format)) {
    return { format, files: [only], folder: data };
  }
  const refused = await refusedFiles((await searchedFolders(data)).flat());
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
  const detected = await detectFormat(file);
  const found = detected.format ?? detected.guess;
  if (found !== undefined) return { format: found, files: await withCocoSibling(file, found), folder };
  throw new InputError(
    detected.kind !== undefined
      ? `Cannot read captions: ${file} is ${detected.kind.name}; ${detected.kind.remedy}`
      : `Cannot read captions: ${file} is in no format that is known; name one with --format (${
        FORMAT_NAMES.join(", ")
      })`,
  );
}

/** Several files are one dataset if they have one format. */
async function sourceOfFiles(files: readonly string[], format: Format | undefined): Promise<CaptionsSource> {
  const [first = "", ...others] = files;
  const twin = files.find((file, index) => files.indexOf(file) !== index);
  if (twin !== undefined) {
    throw new InputError(`Cannot read captions: ${twin} is named twice by --captions; name it once`);
  }
  const sources: CaptionsSource[] = [];
  for (const file of files) sources.push(await sourceOfFile(file, format));
  const other = sources.findIndex((source) => source.format !== sources[0]?.format);
  if (other >= 0) {
    throw new InputError(
      `Cannot read captions: ${first} is in the format ${sources[0]?.format} and ${files[other]} in ` +
        `${sources[other]?.format}, and only files in one format can be joined; convert one, or name one alone`,
    );
  }
  const folder = others.reduce((common, file) => commonFolder(common, dirname(file)), dirname(first));
  return { format: sources[0]?.format ?? "kaggle", files, folder };
}

function commonFolder(one: string, other: string): string {
  const parts = relative(one, other).split("/");
  return parts.filter((part) => part === "..").reduce((folder) => dirname(folder), one);
}

/**
 * The folder; its subfolders; those named like image folders, which may be large; and last the folders named for splits
 * one level further down.
 */
async function searchedFolders(data: string): Promise<string[][]> {
  const { folders } = await listFolder(data, "dataset");
  const inner = (names: readonly string[], parent: string) => names.map((name) => join(parent, name));
  const forImages = inner(folders.filter(isImagesFolderName), data);
  const others = inner(folders.filter((name) => !isImagesFolderName(name)), data);
  const deeper: string[] = [];
  for (const folder of [...others, ...forImages]) {
    const names = (await listIfReadable(folder, "dataset")).folders;
    deeper.push(...inner(names.filter((name) => splitOfName(name) !== undefined), folder));
  }
  return [[data], others, forImages, deeper];
}

type Candidate = Pick<CaptionsSource, "format" | "files">;

async function candidatesIn(
  folders: readonly string[],
  { data, format }: { readonly data: string; readonly format: Format | undefined },
): Promise<Candidate[]> {
  const found: Candidate[] = [];
  const allShards: string[] = [];
  let hasPairs = false;
  for (const folder of folders) {
    const listing = await listIfReadable(folder, "dataset");
    for (const path of (await textsIn(folder)).slice(0, MAX_INSPECTED)) {
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
  return withoutLemmas(joinSplits(wanted, data));
}

/** Texts that may be captions and do not belong to one image; known names first. */
async function textsIn(folder: string): Promise<string[]> {
  const { files } = await listIfReadable(folder, "dataset");
  const beside = new Set(pairFiles(files).pairs.map(({ text }) => text));
  const texts = files.filter((name) => CAPTION_FILE.test(name) && !beside.has(name));
  return texts.sort(byKnownName).map((name) => join(folder, name));
}

/** Tells whether any tar contains captions: archives of images may lie beside them. */
async function hasWebdataset(shards: readonly string[]): Promise<boolean> {
  for (const shard of shards.slice(0, MAX_INSPECTED)) if (await isWebdataset(shard)) return true;
  return false;
}

/** Explains why some files that look like captions are not: those of the first folder that has some. */
async function refusedFiles(folders: readonly string[]): Promise<string> {
  for (const folder of folders) {
    const { files } = await listIfReadable(folder, "dataset");
    const reasons = describeUnpaired(files) ?? await refusedFilesIn(folder, files);
    if (reasons !== "") return reasons;
  }
  return "";
}

async function refusedFilesIn(folder: string, files: readonly string[]): Promise<string> {
  const reasons: string[] = [];
  const inspected = files.filter((name) =>
    [CAPTION_FILE, TAR_FILE, OTHER_ENDING].some((pattern) => pattern.test(name))
  );
  for (const name of inspected.sort(byKnownName)) {
    if (reasons.length === MAX_REASONS) break;
    try {
      const { format, kind, firstLine } = await detectFormat(join(folder, name));
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
    const { format, guess } = await detectFormat(path);
    return format ?? (/^captions\.(?:txt|csv|tsv)$/i.test(basename(path)) ? guess : undefined);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

function byKnownName(a: string, b: string): number {
  const known = /caption|token|results|dataset/i;
  return Number(known.test(b)) - Number(known.test(a)) || (a < b ? -1 : 1);
}

/** A COCO file, with those of the other splits if they lie beside it. */
async function withCocoSibling(file: string, format: Format): Promise<readonly string[]> {
  const folder = dirname(file);
  if (format !== "coco" || splitOfName(basename(file)) === undefined) return [file];
  const candidates: Candidate[] = [{ format, files: [file] }];
  for (const path of (await textsIn(folder)).slice(0, MAX_INSPECTED)) {
    if (path !== join(file) && await formatIn(path) === "coco") candidates.push({ format, files: [path] });
  }
  const joined = joinSplits(candidates, folder).find(({ files }) => files.includes(file));
  return joined?.files ?? [file];
}

/** Joins files that differ only in the split that their names contain; the order of images is train first. */
function joinSplits(candidates: readonly Candidate[], data: string): Candidate[] {
  const groups = new Map<string, Map<SplitPart, Candidate[]>>();
  const groupOf = ({ format, files }: Candidate) => {
    const [file, second] = files;
    const split = file === undefined || second !== undefined ? undefined : splitOfPath(relative(data, file));
    return split && { part: split.part, key: `${format} ${split.common}` };
  };
  for (const candidate of candidates) {
    const group = groupOf(candidate);
    if (group === undefined) continue;
    const parts = groups.get(group.key) ?? new Map<SplitPart, Candidate[]>();
    parts.set(group.part, [...parts.get(group.part) ?? [], candidate]);
    groups.set(group.key, parts);
  }
  const joined: Candidate[] = [];
  for (const candidate of candidates) {
    const parts = groups.get(groupOf(candidate)?.key ?? "");
    const isSplit = parts !== undefined && parts.size > 1 && parts.values().every(({ length }) => length === 1);
    if (!isSplit) joined.push(candidate);
    else if ([...parts.values()][0]?.[0] === candidate) {
      const files = SPLIT_PARTS.flatMap((part) => parts.get(part) ?? []).flatMap(({ files }) => files);
      joined.push({ format: candidate.format, files });
    }
  }
  return joined;
}

/** Flickr8k contains its captions a second time, lemmatized. */
function withoutLemmas(candidates: readonly Candidate[]): Candidate[] {
  const others = candidates.filter(({ format, files }) =>
    format !== "flickr-token" || !files.some((file) => /lemma/i.test(basename(file)))
  );
  return others.length > 0 ? others : [...candidates];
}

function severalCandidates(data: string, candidates: readonly Candidate[]): InputError {
  const names = candidates.slice(0, 3).map(({ format, files }) => {
    const [file] = files;
    return file === undefined ? `texts beside images (${format})` : `${quoted(relative(data, file))} (${format})`;
  });
  const more = candidates.length > names.length ? ` and ${candidates.length - names.length} more` : "";
  const formats = new Set(candidates.map(({ format }) => format));
  return new InputError(
    `Cannot read dataset: ${data} has several captions files, ${names.join(" and ")}${more}; name one with --captions` +
      (formats.size > 1 ? ", or its format with --format" : ""),
  );
}
