import { join } from "node:path";
import { InputError } from "../../input_error.ts";
import { innerFolders } from "../../files/list_folder.ts";
import type { ImageFile } from "../../images/image_file.ts";
import { IMAGE_ENDINGS } from "../../images/image_kind.ts";
import { readAhead } from "../../read_ahead.ts";
import { readTextFile } from "../../files/text_file.ts";
import { type CaptionData, CaptionRows } from "./caption_rows.ts";
import { captionLines } from "./caption_rows.ts";

const IMAGE = new RegExp(`\\.(?:${IMAGE_ENDINGS})$`, "i");
const TEXT = /\.txt$/i;
/** Text files that contain no captions. */
const OTHER_TEXT = /^(?:read_?me|licen[cs]e)|(?:train|dev|val|test).*images.*\.txt$/i;
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
    if (typeof lines === "string") captions.rejected.push({ file, reason: lines });
    else if (lines.length === 0) captions.rejected.push({ file, reason: "has no caption" });
    else for (const caption of lines) captions.rows.push({ image, caption });
  }
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

/** Pairs the images of a folder with their texts. */
export function pairFiles(files: readonly string[]): PairedFiles {
  const texts = new Map(files.filter((name) => TEXT.test(name)).map((name) => [name.replace(TEXT, ""), name]));
  const pairs = new Map<string, { image: string; text: string }>();
  const single: { name: string; reason: string }[] = [];
  for (const image of files.filter((name) => IMAGE.test(name))) {
    const stem = image.replace(IMAGE, "");
    const text = texts.get(stem);
    const other = pairs.get(stem);
    if (text === undefined) single.push({ name: image, reason: `has no ${stem}.txt beside it` });
    else if (other !== undefined) single.push({ name: image, reason: `shares ${text} with ${other.image}` });
    else pairs.set(stem, { image, text });
  }
  for (const [stem, text] of texts) {
    if (!pairs.has(stem) && !OTHER_TEXT.test(text)) single.push({ name: text, reason: "has no image beside it" });
  }
  return { pairs: [...pairs.values()], single };
}

/** A text's captions, or the reason they cannot be read. */
async function readLines(folder: string, text: string): Promise<string[] | string> {
  try {
    return captionLines(await readTextFile(join(folder, text), "captions", { maxBytes: MAX_CAPTION_BYTES }));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return "cannot be read as text in UTF-8 of at most 1 MB";
  }
}
