/**
 * Captions files, whatever their format.
 *
 * @module
 */

import { InputError } from "../input_error.ts";
import { isFlickrTokenLine, parseFlickrToken } from "./flickr_token.ts";
import { parseKaggleCaptions } from "./kaggle_captions.ts";
import { readTextFile } from "./text_file.ts";

/** One caption of one image. */
export interface CaptionRow {
  /** The image's file name. */
  readonly image: string;
  /** The caption as it is written in the file. */
  readonly caption: string;
}

/**
 * Reads a captions file. The format is found by looking at the first line: Kaggle's CSV with the columns `image` and
 * `caption`, or the lines `name.jpg#0<TAB>caption` of `Flickr8k.token.txt`.
 *
 * @param path The file.
 * @returns The captions in file order, at least one.
 * @throws {InputError} If there is no such file, it is not text, or it is not one of these formats.
 *
 * @example Counting captions
 * ```ts
 * import { readCaptions } from "./captions.ts";
 *
 * const rows = await readCaptions("flickr8k/captions.txt");
 * console.log(rows.length, rows[0]?.image, rows[0]?.caption);
 * ```
 */
export async function readCaptions(path: string): Promise<CaptionRow[]> {
  const text = await readTextFile(path, "captions");
  const firstLine = text.trimStart().split(/\r?\n/, 1)[0] ?? "";
  if (firstLine === "") {
    throw new InputError(`Cannot read captions: ${path} is empty; name another file with --captions`);
  }
  const rows = isFlickrTokenLine(firstLine) ? parseFlickrToken(text, path) : parseKaggleCaptions(text, path);
  if (rows.length === 0) {
    throw new InputError(
      `Cannot read captions: ${path} has a header and no captions; name another file with --captions`,
    );
  }
  return rows;
}
