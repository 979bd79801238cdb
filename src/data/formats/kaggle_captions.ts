// A table with the columns `image` and `caption`, and optionally `split`, like Flickr8k on Kaggle: CSV, also with the
// semicolons of Excel, or tabs.

import { CsvError, parse } from "csv-parse/sync";
import { InputError } from "../../input_error.ts";
import { type CaptionData, CaptionRows } from "./caption_rows.ts";
import { captionKeys, IMAGE_KEYS } from "./entry_keys.ts";
import { quoted } from "../../printable.ts";
import { EntrySplits } from "./entry_splits.ts";
import { IMAGE_ENDINGS } from "../../images/image_kind.ts";

const DELIMITERS = [",", ";", "\t", "|"];
/** Excel's first line about the delimiter. */
const EXCEL_LINE = /^\uFEFF?"?sep=(.)"?\r?\n/i;

/** Columns about captions. */
const ABOUT_CAPTIONS = /(?:id|ids|number|index|count|language|lang|length|source|author)\W*$/i;
/** A file with more unclosed quotes is not CSV; each costs another pass over the text after it. */
const MAX_OPEN_QUOTES = 16;

/** The start of the next row, inside a caption. */
const SWALLOWED_ROW = new RegExp(`\\n[^\\n",;\\t|]*\\.(?:${IMAGE_ENDINGS})\\s*[,;\\t|]`, "i");

/** Recognizes a header with the format's columns. */
export function isKaggleHeader(line: string): boolean {
  return delimiterOf(line) !== undefined;
}

/** Recognizes Excel's line about the delimiter, which precedes the header. */
export function isExcelLine(line: string): boolean {
  return EXCEL_LINE.test(`${line}\n`);
}

/** The delimiter that makes a line a header with the format's columns. */
function delimiterOf(line: string): string | undefined {
  return DELIMITERS.find((delimiter) => {
    const names = line.split(delimiter).map((name) => columnName(name.replaceAll('"', "")));
    return imageColumn(names) >= 0 && captionKeys(names).length > 0;
  });
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
  const excelLine = EXCEL_LINE.exec(text)?.[0] ?? "";
  const table = text.slice(excelLine.length);
  const [header = ""] = table.trimStart().split(/\r?\n/, 1);
  const delimiter = delimiterOf(header) ?? ",";
  parseCsv(table, {
    file,
    delimiter,
    linesBefore: excelLine === "" ? 0 : 1,
    onRecord(values, line) {
      if (columns === undefined) {
        columns = findColumns(values, { file, delimiter });
        for (const remark of remarkOnColumns(values, columns)) captions.remarks.push(remark);
      } else addRecord({ captions, splits }, { values, line, columns });
    },
    onOpenQuote: (line) => captions.reject("opens a quote that is not closed", line),
  });
  if (columns === undefined) findColumns([], { file, delimiter });
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
  readonly delimiter: string;
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
  const [first = 0] = columns.captions;
  const isLast = first === columns.count - 1;
  const texts = isLast
    ? [values.slice(first).join(columns.delimiter)]
    : columns.captions.map((column) => values[column] ?? "");
  if (image !== "" && texts.join("").trim() !== "" && !isLast && values.length !== columns.count) {
    return captions.reject(`has ${values.length} columns, not ${columns.count}: quote captions with commas`, line);
  }
  const split = (columns.split === undefined ? undefined : values[columns.split])?.trim();
  const wrong = split ? splits.add(image, split) : undefined;
  if (wrong !== undefined) captions.reject(wrong, line);
  else captions.addAll(image, texts, line);
}

class OpenQuote extends Error {}

interface CsvListener {
  readonly file: string;
  readonly delimiter: string;
  /** Lines before the text. */
  readonly linesBefore: number;
  onRecord(values: readonly string[], line: number): void;
  /** Receives the line of an unclosed quote. */
  onOpenQuote(line: number): void;
}

function parseCsv(text: string, listener: CsvListener): void {
  let rest = text;
  let { linesBefore } = listener;
  for (let attempt = 0; attempt <= MAX_OPEN_QUOTES; attempt++) {
    let lines = 0;
    try {
      parse(rest, {
        bom: true,
        delimiter: listener.delimiter,
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

function findColumns(
  header: readonly string[],
  { file, delimiter }: { readonly file: string; readonly delimiter: string },
): Columns {
  const names = header.map(columnName);
  const split = names.indexOf("split");
  const image = imageColumn(names);
  const wanted = new Set(captionKeys(names));
  const captions = [...names.keys()].filter((index) => wanted.has(names[index] ?? ""));
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
    delimiter,
  };
}

/** Says which columns are not read although they are named for captions. */
function remarkOnColumns(header: readonly string[], { captions }: Columns): string[] {
  const [first = ""] = captions.map((index) => header[index]);
  const ignored = header.filter((name, index) =>
    /^\W*caption/i.test(name) && !ABOUT_CAPTIONS.test(name) && !captions.includes(index)
  );
  return ignored.map((name) =>
    `the column ${quoted(name.trim())} is not read, only ${quoted(first.trim())}; call it 'caption_2' to read both`
  );
}

/** The column of the images' names; -1 if there is none. */
function imageColumn(names: readonly string[]): number {
  const name = IMAGE_KEYS.find((key) => names.includes(key));
  return name === undefined ? -1 : names.indexOf(name);
}

function columnName(name: string): string {
  return name.replace("\uFEFF", "").trim().toLowerCase();
}
