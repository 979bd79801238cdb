// Flickr8k as distributed on Kaggle: a CSV file with the columns `image` and `caption`, and optionally `split`.

import { CsvError, parse } from "csv-parse/sync";
import { InputError } from "../../input_error.ts";
import { type CaptionData, CaptionRows } from "./caption_rows.ts";
import { captionKeys } from "./entry_keys.ts";
import { EntrySplits } from "./entry_splits.ts";
import { IMAGE_ENDINGS } from "../../images/image_kind.ts";

const IMAGE_COLUMN = ["image", "image_name", "file_name"];

/** A file with more unclosed quotes is not CSV; each costs another pass over the text after it. */
const MAX_OPEN_QUOTES = 16;

/** The start of the next row, inside a caption. */
const SWALLOWED_ROW = new RegExp(`\\n[^\\n",]*\\.(?:${IMAGE_ENDINGS})\\s*,`, "i");

/** Recognizes a header with the format's columns. */
export function isKaggleHeader(line: string): boolean {
  const names = line.split(",").map((name) => columnName(name.replaceAll('"', "")));
  return IMAGE_COLUMN.some((name) => names.includes(name)) && captionColumns(names).length > 0;
}

/**
 * Reads the rows of a CSV text and ignores columns other than `image`, `caption` (or `caption_0`, `caption_1` and so on)
 * and `split`. If the caption is the last column, it may contain unquoted commas. A row with an unclosed quote is
 * rejected, and the next line starts a new row.
 *
 * @param file The file's name, for error messages.
 * @throws {InputError} If the header lacks a column or many quotes are unclosed.
 */
export function parseKaggleCaptions(text: string, file: string, splits = new EntrySplits()): CaptionData {
  const captions = new CaptionRows(file);
  let columns: Columns | undefined;
  parseCsv(text, {
    file,
    onRecord(values, line) {
      if (columns === undefined) columns = findColumns(values, file);
      else addRecord({ captions, splits }, { values, line, columns });
    },
    onOpenQuote: (line) => captions.reject("opens a quote that is not closed", line),
  });
  if (columns === undefined) findColumns([], file);
  // A row with an unclosed quote is found after rows that follow it.
  captions.rejected.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  return captions.data(splits.lists());
}

interface Columns {
  readonly image: number;
  readonly captions: readonly number[];
  /** Undefined if there is no such column. */
  readonly split: number | undefined;
  readonly count: number;
}

interface CsvRecord {
  readonly values: readonly string[];
  readonly line: number;
  readonly columns: Columns;
}

function addRecord(
  { captions, splits }: { captions: CaptionRows; splits: EntrySplits },
  { values, line, columns }: CsvRecord,
): void {
  const image = (values[columns.image] ?? "").trim();
  const [first = 0, second] = columns.captions;
  const isLast = first === columns.count - 1;
  const all = columns.captions.map((column) => values[column] ?? "");
  const some = second === undefined ? all : all.filter((caption) => caption.trim() !== "");
  const texts = isLast ? [values.slice(first).join(",")] : some;
  if (image !== "" && texts.join("").trim() !== "" && !isLast && values.length !== columns.count) {
    return captions.reject(`has ${values.length} columns, not ${columns.count}: quote captions with commas`, line);
  }
  const split = (columns.split === undefined ? undefined : values[columns.split])?.trim();
  const wrong = split ? splits.add(image, split) : undefined;
  if (wrong !== undefined) captions.reject(wrong, line);
  else if (texts.length === 0) captions.reject("has no caption", line);
  else for (const caption of texts) captions.add({ image, caption }, line);
}

class OpenQuote extends Error {}

interface CsvListener {
  readonly file: string;
  onRecord(values: readonly string[], line: number): void;
  /** Receives the line of an unclosed quote. */
  onOpenQuote(line: number): void;
}

function parseCsv(text: string, listener: CsvListener): void {
  let rest = text;
  let linesBefore = 0;
  for (let attempt = 0; attempt <= MAX_OPEN_QUOTES; attempt++) {
    let lines = 0;
    try {
      parse(rest, {
        bom: true,
        relax_column_count: true,
        relax_quotes: true,
        skip_empty_lines: true,
        on_record(values: string[], context) {
          const breaks = values.reduce((sum, value) => sum + value.split("\n").length - 1, 0);
          if (breaks > 0 && values.some((value) => SWALLOWED_ROW.test(value))) {
            lines = context.lines - breaks - 1;
            throw new OpenQuote();
          }
          lines = context.lines;
          listener.onRecord(values, linesBefore + lines - breaks);
          return null;
        },
      });
      return;
    } catch (error) {
      if (!(error instanceof OpenQuote || error instanceof CsvError)) throw error;
    }
    // Skips to the row after the last complete record, past blank lines.
    let start = 0;
    for (let line = 0; line < lines; line++) start = rest.indexOf("\n", start) + 1;
    let end = rest.indexOf("\n", start);
    for (; end >= 0 && rest.slice(start, end).trim() === ""; end = rest.indexOf("\n", start)) {
      start = end + 1;
      lines++;
    }
    listener.onOpenQuote(linesBefore + lines + 1);
    if (end < 0) return;
    rest = rest.slice(end + 1);
    linesBefore += lines + 1;
  }
  throw new InputError(
    `Cannot read captions: ${listener.file} has many quotes that are not closed, the last on line ${linesBefore}; ` +
      "write a quote in a quoted caption twice",
  );
}

function findColumns(header: readonly string[], file: string): Columns {
  const names = header.map(columnName);
  const split = names.indexOf("split");
  const image = names.findIndex((name) => IMAGE_COLUMN.includes(name));
  const captions = captionColumns(names).map((name) => names.indexOf(name));
  if (image < 0 || captions.length === 0) {
    throw new InputError(
      `Cannot read captions: column '${
        image < 0 ? "image" : "caption"
      }' is missing in ${file}; its first line must be ` +
        '"image,caption", or name another --format',
    );
  }
  return {
    image,
    captions,
    split: split >= 0 ? split : undefined,
    count: names.length,
  };
}

/** A column called text holds captions in Hugging Face's tables, and elsewhere anything. */
function captionColumns(names: readonly string[]): string[] {
  return captionKeys(names.includes("file_name") ? names : names.filter((name) => !/^text/.test(name)));
}

function columnName(name: string): string {
  return name.replace("\uFEFF", "").trim().toLowerCase();
}
