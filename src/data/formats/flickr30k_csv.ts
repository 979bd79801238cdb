// Flickr30k as distributed on Kaggle: `image_name| comment_number| comment`, with or without the spaces.

import { InputError } from "../../input_error.ts";
import { type CaptionData, CaptionRows } from "./caption_rows.ts";

const headerPattern = /^image_name\s*\|\s*comment_number\s*\|\s*comment\s*$/i;

/** Recognizes the format's header line. */
export function isFlickr30kHeader(line: string): boolean {
  return headerPattern.test(line);
}

/**
 * Reads the rows of such a file and skips blank lines. The published file has one row without its second bar
 * (`2199200615.jpg| 4   A dog runs across the grass .`), which is rejected like any other.
 *
 * @param file The file's name, for error messages.
 * @throws {InputError} If the header is missing.
 */
export function parseFlickr30kCsv(text: string, file: string): CaptionData {
  const captions = new CaptionRows(file);
  let header = false;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    if (header) addLine(captions, line, index + 1);
    else if (isFlickr30kHeader(line)) header = true;
    else break;
  }
  if (header) return captions.data();
  throw new InputError(
    `Cannot read captions: the first line of ${file} is not "image_name| comment_number| comment"; ` +
      "add it, or name another --format",
  );
}

function addLine(captions: CaptionRows, line: string, number: number): void {
  // A further bar is part of the caption.
  const [, image = "", comment = "", caption] = /^([^|]*)\|([^|]*)(?:\|(.*))?$/s.exec(line) ?? [];
  if (!line.includes("|")) captions.reject("has no '|'", number);
  else if (caption === undefined) captions.reject("has no second '|', between the comment's number and it", number);
  else if (!/^\s*\d+\s*$/.test(comment)) captions.reject("has no comment number between the first two '|'", number);
  else captions.add({ image: image.trim(), caption: caption.trim() }, number);
}
