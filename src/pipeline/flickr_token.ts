/**
 * Captions as the authors of Flickr8k and Flickr30k distribute them: `name.jpg#0<TAB>caption` on each line.
 *
 * @module
 */

import { InputError } from "../input_error.ts";
import type { CaptionRow } from "./captions.ts";

const linePattern = /^([^\t]+)#\d+\t(.*)$/s;

/**
 * Whether a line has the format's shape.
 *
 * @param line The first line of a file.
 */
export function isFlickrTokenLine(line: string): boolean {
  return linePattern.test(line);
}

/**
 * Reads the rows of a token file; blank lines are passed over.
 *
 * @param text The file's text.
 * @param file The file's name, for error messages.
 * @throws {InputError} If a line has another shape or no caption.
 */
export function parseFlickrToken(text: string, file: string): CaptionRow[] {
  const rows: CaptionRow[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const [, image = "", caption = ""] = linePattern.exec(line) ?? [];
    if (image.trim() === "" || caption.trim() === "") {
      throw new InputError(
        `Cannot read captions: line ${index + 1} of ${file} is not "name.jpg#0<TAB>caption"; correct or remove it`,
      );
    }
    rows.push({ image: image.trim(), caption });
  }
  return rows;
}
