// Flickr8k and Flickr30k as distributed by their authors: `name.jpg#0<TAB>caption` on each line.

import { type CaptionData, CaptionRows } from "./caption_rows.ts";

const linePattern = /^([^\t]+)#\d+\t(.*)$/s;

/** Recognizes a line of the format. */
export function isFlickrTokenLine(line: string): boolean {
  return linePattern.test(line);
}

/**
 * Reads the rows of a token file and skips blank lines.
 *
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
