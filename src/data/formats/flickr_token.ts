/**
 * Captions as the authors of Flickr8k and Flickr30k distribute them: `name.jpg#0<TAB>caption` on each line.
 *
 * @module
 */

import { type CaptionData, CaptionRows } from "./caption_rows.ts";

const linePattern = /^([^\t]+)#\d+\t(.*)$/s;

/**
 * Whether a line has the format's shape.
 *
 * @param line A line of a file.
 */
export function isFlickrTokenLine(line: string): boolean {
  return linePattern.test(line);
}

/**
 * Reads the rows of a token file; blank lines are passed over.
 *
 * @param text The file's text.
 * @param file The file's name, for error messages.
 */
export function parseFlickrToken(text: string, file: string): CaptionData {
  const captions = new CaptionRows(file);
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const [whole, image = "", caption = ""] = linePattern.exec(line) ?? [];
    if (whole === undefined) captions.reject('is not "name.jpg#0<TAB>caption"', index + 1);
    else captions.add({ image: image.trim(), caption }, index + 1);
  }
  return captions.data();
}
