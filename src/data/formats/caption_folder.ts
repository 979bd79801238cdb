import { join } from "node:path";
import { InputError } from "../../input_error.ts";
import { innerFolders } from "../../files/list_folder.ts";
import type { ImageFile } from "../../images/image_file.ts";
import { IMAGE_ENDINGS } from "../../images/image_kind.ts";
import { quoted } from "../../printable.ts";
import { splitOfName } from "../split_name.ts";
import { readAhead } from "../../read_ahead.ts";
import { LFS_POINTER } from "../../files/lfs_pointer.ts";
import { readTextFile } from "../../files/text_file.ts";
import { captionLines, remarkOnLines } from "./caption_lines.ts";
import { type CaptionData, CaptionRows } from "./caption_rows.ts";

const IMAGE = new RegExp(`\\.(?:${IMAGE_ENDINGS})$`, "i");
const TEXT = /\.(?:txt|captions?)$/i;
/** Text files about a dataset. */
const ABOUT = /^(?:read_?me|licen[cs]e)/i;
/** Images in formats that are not read. */
const OTHER_IMAGE = /\.(?:bmp|jp2|j2k|jxl|svg|pdf|psd|tga|ppm|pgm|pnm|eps|ico|cr2|nef|arw|dng)$/i;
/** Longer texts are not captions. */
const MAX_CAPTION_BYTES = 1 << 20;
const AHEAD = 32;
/** Folders searched for an image with a text before giving up. */
const MAX_LOOKED_AT = 1000;

/**
 * Reads the texts beside the images of a folder and its subfolders. Each line is a caption; an image's name is its path
 * relative to the folder.
 *
 * @throws {InputError} If a folder cannot be read.
 */
export async function readCaptionFolder(
  folder: string,
): Promise<CaptionData & { images: ReadonlyMap<string, ImageFile> }> {
  const captions = new CaptionRows(folder);
  const images = new Map<string, ImageFile>();
  const lineCounts: number[] = [];
  const pairs: { image: string; text: string }[] = [];
  for await (const { path, files } of innerFolders(folder, "dataset")) {
    const beside = pairFiles(files);
    for (const { name, reason } of beside.single) captions.rejected.push({ file: join(folder, path, name), reason });
    for (const { image, text } of beside.pairs) pairs.push({ image: join(path, image), text: join(path, text) });
  }
  const read = async ({ image, text }: typeof pairs[number]) => ({ image, text, read: await readLines(folder, text) });
  for await (const { image, text, read: lines } of readAhead(read, pairs, AHEAD)) {
    images.set(image, { path: join(folder, image) });
    const file = join(folder, text);
    if (typeof lines === "string") {
      captions.rejected.push({ file, reason: lines });
      continue;
    }
    lineCounts.push(lines.length);
    const own = new CaptionRows(file);
    own.addAll(image, lines);
    for (const row of own.rows) captions.rows.push(row);
    for (const row of own.rejected) captions.rejected.push(row);
  }
  const remark = remarkOnLines(lineCounts);
  if (remark !== undefined) captions.remarks.push(remark);
  return { ...captions.data(), images };
}

/**
 * Tells whether a folder, or one of its first subfolders, has an image with a text beside it.
 *
 * @throws {InputError} If a folder cannot be read.
 */
export async function isCaptionFolder(folder: string): Promise<boolean> {
  let left = MAX_LOOKED_AT;
  for await (const { files } of innerFolders(folder, "dataset")) {
    if (pairFiles(files).pairs.length > 0) return true;
    if (--left === 0) break;
  }
  return false;
}

export interface PairedFiles {
  /** Images with the text of the same name. */
  readonly pairs: readonly { readonly image: string; readonly text: string }[];
  /** Images and texts without a counterpart. */
  readonly single: readonly { readonly name: string; readonly reason: string }[];
}

/** Pairs the images of a folder with their texts: `a.jpg` with `a.txt`, `a.caption` or `a.jpg.txt`. */
export function pairFiles(files: readonly string[]): PairedFiles {
  const byStem = Map.groupBy(files.filter((name) => TEXT.test(name)), (name) => name.replace(TEXT, ""));
  const pairs = new Map<string, { image: string; text: string }>();
  const single: { name: string; reason: string }[] = [];
  for (const image of files.filter((name) => IMAGE.test(name))) {
    const stem = image.replace(IMAGE, "");
    // Of several texts the .txt, which is last in their order.
    const texts = byStem.get(stem) ?? byStem.get(image);
    const text = texts?.at(-1);
    const other = text === undefined ? undefined : pairs.get(text);
    if (text === undefined) single.push({ name: image, reason: `has no ${stem}.txt beside it` });
    else if (other !== undefined) single.push({ name: image, reason: `shares ${text} with ${other.image}` });
    else {
      pairs.set(text, { image, text });
      for (const name of texts?.slice(0, -1) ?? []) single.push({ name, reason: `is not read, since ${text} is` });
    }
  }
  const named = new Set([...pairs.keys(), ...single.map(({ name }) => name)]);
  for (const text of [...byStem.values()].flat()) {
    if (named.has(text) || ABOUT.test(text) || splitOfName(text) !== undefined) continue;
    const image = files.find((name) =>
      OTHER_IMAGE.test(name) && name.replace(OTHER_IMAGE, "") === text.replace(TEXT, "")
    );
    const reason = image === undefined ? "has no image beside it" : `is beside ${image}: convert that to JPEG or PNG`;
    single.push({ name: text, reason });
  }
  return { pairs: [...pairs.values()], single };
}

/**
 * Explains why texts and images of one folder do not belong together, if none does: their names differ, or the images
 * are in a format that is not read.
 */
export function describeUnpaired(files: readonly string[]): string | undefined {
  const { pairs, single } = pairFiles(files);
  const texts = single.filter(({ name }) => TEXT.test(name));
  const [text] = texts;
  if (pairs.length > 0 || text === undefined) return undefined;
  if (text.reason.startsWith("is beside")) return `${quoted(text.name)} ${text.reason}`;
  const images = single.filter(({ name }) => IMAGE.test(name));
  const [image] = images;
  // One text beside many images, or of this name, is a captions file.
  const isAlone = texts.length === 1 && (images.length > 1 || /^captions?\./i.test(text.name));
  if (image === undefined || isAlone) return undefined;
  const wanted = quoted(`${image.name.replace(IMAGE, "")}.txt`);
  return `${quoted(text.name)} has another name than any image: the text of ${quoted(image.name)} is called ${wanted}`;
}

/** A text's captions, or the reason they cannot be read. */
async function readLines(folder: string, text: string): Promise<string[] | string> {
  try {
    return captionLines(await readTextFile(join(folder, text), "captions", { maxBytes: MAX_CAPTION_BYTES }));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.message.endsWith(LFS_POINTER)
      ? `cannot be read: ${LFS_POINTER}`
      : "cannot be read as text in UTF-8 of at most 1 MB";
  }
}
