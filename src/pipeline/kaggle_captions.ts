/**
 * Captions as Kaggle distributes Flickr8k: a CSV file with the columns `image` and `caption`.
 *
 * @module
 */

import { CsvError, parse } from "csv-parse/sync";
import { InputError } from "../input_error.ts";
import type { CaptionRow } from "./captions.ts";

/**
 * Reads the rows of a CSV text. Columns other than `image` and `caption` are passed over; an unquoted comma in a caption
 * is part of it where the caption is the last column.
 *
 * @param text The file's text.
 * @param file The file's name, for error messages.
 * @throws {InputError} If the header lacks a column, a row lacks a value, or the quotes do not match.
 */
export function parseKaggleCaptions(text: string, file: string): CaptionRow[] {
  const [first, ...records] = parseCsv(text, file);
  const header = (first?.values ?? []).map((name) => name.trim().toLowerCase());
  const imageColumn = findColumn(header, "image", file);
  const captionColumn = findColumn(header, "caption", file);
  return records.map(({ values, line }) => {
    const image = (values[imageColumn] ?? "").trim();
    const captionIsLast = captionColumn === header.length - 1;
    const caption = captionIsLast ? values.slice(captionColumn).join(",") : values[captionColumn] ?? "";
    if (image === "" || caption.trim() === "" || (!captionIsLast && values.length !== header.length)) {
      const lack = image === ""
        ? "no image name"
        : caption.trim() === ""
        ? "no caption"
        : "too many or too few columns";
      throw new InputError(`Cannot read captions: line ${line} of ${file} has ${lack}; complete or remove it`);
    }
    return { image, caption };
  });
}

interface CsvRecord {
  readonly values: readonly string[];
  /** The line on which the record ends, from 1. */
  readonly line: number;
}

function parseCsv(text: string, file: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  let line = 0;
  try {
    parse(text, {
      bom: true,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      on_record(values: string[], context) {
        line = context.lines;
        records.push({ values, line });
        return null;
      },
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new InputError(
      `Cannot read captions: ${file} has a quote that does not match after line ${line} (${error.code}); correct it`,
      { cause: error },
    );
  }
  return records;
}

function findColumn(header: readonly string[], name: string, file: string): number {
  const column = header.indexOf(name);
  if (column >= 0) return column;
  throw new InputError(
    `Cannot read captions: column '${name}' is missing in ${file}; its first line must be "image,caption", ` +
      'or each line "name.jpg#0<TAB>caption"',
  );
}
