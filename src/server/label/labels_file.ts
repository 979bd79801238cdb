import { CsvError, parse } from "csv-parse/sync";
import { dirname } from "node:path";
import { CaptionRows, wrongName } from "../../data/formats/caption_rows.ts";
import { readTextFile } from "../../files/text_file.ts";
import { InputError } from "../../input_error.ts";
import { quoted } from "../../printable.ts";
import { oneAtATime } from "../deadline.ts";

/** How a caption came about: the model's own words, these changed by a person, or a person's own. */
export const LABEL_SOURCES = ["accepted", "edited", "typed"] as const;

/** The caption of an image. */
export interface Label {
  readonly caption: string;
  /** Empty if the file does not say it. */
  readonly source: typeof LABEL_SOURCES[number] | "";
}

/** A change of an image's label. */
export interface LabelChange {
  /** The image's name. */
  readonly image: string;
  /** The new label; null to remove it. */
  readonly label: Label | null;
  /** The caption that the person saw; null if there was none. */
  readonly before: string | null;
}

/** Writes the file as a whole, or not at all. */
export type WriteLabels = (path: string, text: string) => Promise<void>;

/** Labels by image, in the order of the file. */
export type Labels = ReadonlyMap<string, Label>;

const COLUMNS = ["image", "caption", "source"];
const SOURCES = ["", ...LABEL_SOURCES] as const;

/**
 * A CSV file of one caption for each image, which is a dataset for training. It is read before each change, so that
 * changes of other programs stay.
 */
export class LabelsFile {
  readonly #path: string;
  readonly #write: WriteLabels;
  readonly #inTurn = oneAtATime();

  /** Names the file; it need not exist, but its folder must. */
  constructor(path: string, write: WriteLabels) {
    this.#path = path;
    this.#write = write;
  }

  /**
   * Reads the labels.
   *
   * @throws {InputError} If the file cannot be read, or it is no file of labels.
   */
  async read(): Promise<Labels> {
    try {
      await Deno.stat(this.#path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return new Map();
      // Its reader says what is wrong.
    }
    return parseLabels(await readTextFile(this.#path, "labels"), this.#path);
  }

  /**
   * Changes the label of an image, unless somebody else has changed it.
   *
   * @returns The label now in the file, null if there is none, and whether it was changed.
   * @throws {InputError} If training could not read the label, or the file cannot be read or written.
   */
  async change({ image, label, before }: LabelChange): Promise<{ changed: boolean; label: Label | null }> {
    const wanted = label && { ...label, caption: oneLine(label.caption) };
    if (wanted !== null) checkLabel(image, wanted);
    return await this.#inTurn(async () => {
      using _lock = await lockFolder(dirname(this.#path));
      const labels = new Map(await this.read());
      const now = labels.get(image) ?? null;
      const isSame = now?.caption === wanted?.caption && now?.source === wanted?.source;
      if ((now?.caption || null) !== before && !isSame) return { changed: false, label: now };
      if (wanted === null) labels.delete(image);
      else labels.set(image, wanted);
      if (!isSame) await this.#write(this.#path, formatLabels(labels));
      return { changed: true, label: wanted };
    }, new AbortController().signal);
  }
}

/** A caption as it is written: without line breaks and double spaces. */
export function oneLine(caption: string): string {
  return caption.replaceAll(/\s+/g, " ").trim();
}

/** Formats labels as CSV. */
export function formatLabels(labels: Labels): string {
  const rows = [...labels].map(([image, { caption, source }]) => [image, caption, source]);
  return [COLUMNS, ...rows].map((row) => `${row.map(field).join(",")}\n`).join("");
}

function field(text: string): string {
  return /^[\w./-]*$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
}

/**
 * Parses labels. A row without a caption is one without a label.
 *
 * @param path The file's path, for error messages.
 * @throws {InputError} If something would be lost by writing the labels again.
 */
export function parseLabels(text: string, path: string): Labels {
  const refuse: Refuse = (reason) =>
    new InputError(`Cannot label into ${path}: ${reason}; correct it, or name another file with --labels`);
  const [header, ...rows] = parseCsv(text, refuse);
  const columns = checkColumns(header?.values ?? COLUMNS, refuse);
  const labels = new Map<string, Label>();
  for (const { values, line } of rows) {
    const fields = fieldsOf(values, columns);
    if (fields === undefined) {
      throw refuse(`line ${line} has ${values.length} columns, not ${columns.length} (quote captions with commas)`);
    }
    const [image = "", caption = "", text = ""] = COLUMNS.map((name) => fields[columns.indexOf(name)]?.trim());
    if (image === "") throw refuse(`line ${line} names no image`);
    if (labels.has(image)) {
      throw refuse(`line ${line} has a second caption of ${quoted(image)}, and labels are one each`);
    }
    const source = SOURCES.find((source) => source === text);
    if (source === undefined) {
      throw refuse(`line ${line} has the source ${quoted(text)}, not ${LABEL_SOURCES.join(", ")}`);
    }
    labels.set(image, { caption: oneLine(caption), source });
  }
  return labels;
}

/** Makes an error of a reason. */
type Refuse = (reason: string) => InputError;

interface CsvRow {
  readonly values: readonly string[];
  /** The line of its end. */
  readonly line: number;
}

function parseCsv(text: string, refuse: Refuse): CsvRow[] {
  const rows: CsvRow[] = [];
  try {
    parse(text, {
      bom: true,
      relax_column_count: true,
      skip_empty_lines: true,
      on_record(values: string[], { lines }) {
        rows.push({ values, line: lines });
        return null;
      },
    });
  } catch (error) {
    if (error instanceof CsvError) throw refuse(`it is not CSV: ${error.message.replaceAll(/\s+/g, " ")}`);
    throw error;
  }
  return rows;
}

/** A row's fields; undefined if it has too few or too many. A last caption may have unquoted commas, as for training. */
function fieldsOf(values: readonly string[], columns: readonly string[]): readonly string[] | undefined {
  if (values.length === columns.length) return values;
  if (values.length < columns.length || columns.at(-1) !== "caption") return undefined;
  const before = columns.length - 1;
  return [...values.slice(0, before), values.slice(before).join(",")];
}

function checkColumns(header: readonly string[], refuse: Refuse): readonly string[] {
  const names = header.map((name) => name.trim().toLowerCase());
  const other = names.find((name, index) => !COLUMNS.includes(name) || names.indexOf(name) !== index);
  if (other !== undefined) throw refuse(`its first line has the column ${quoted(other)}, not ${COLUMNS.join(",")}`);
  const missing = ["image", "caption"].find((name) => !names.includes(name));
  if (missing !== undefined) throw refuse(`its first line lacks the column ${missing}`);
  return names;
}

/** Whether training would find an image of this name: it trims names, and refuses some. */
export function canLabel(image: string): boolean {
  return !/^\s|\s$|[\r\n]/.test(image) && wrongName(image) === undefined;
}

/**
 * Says which labels are of images that are not in the folder: they stay in the file, and training uses them.
 *
 * @throws {InputError} If all are.
 */
export function checkNames(
  labeled: Iterable<string>,
  images: readonly string[],
  { labels, folder }: { readonly labels: string; readonly folder: string },
): string[] {
  const all = [...labeled];
  const others = all.filter((image) => !images.includes(image));
  const [first] = others;
  if (first === undefined) return [];
  if (others.length < all.length) {
    return [
      `Note: ${others.length} captions in ${labels} are of images that are not in ${folder}, the first of ${
        quoted(first)
      }`,
    ];
  }
  throw new InputError(
    `Cannot label into ${labels}: its images, such as ${quoted(first)}, are not in ${folder}; ` +
      "their names must be relative to --images, or name another file with --labels",
  );
}

/** Checks that training reads what is written. */
function checkLabel(image: string, { caption }: Label): void {
  const rows = new CaptionRows("");
  rows.add({ image, caption }, "the label");
  if (rows.rows.length === 1) return;
  const reason = rows.rejected[0]?.reason ?? "the label is a list of several captions";
  throw new InputError(`Cannot save the label of ${quoted(image)}: ${reason}; write one`);
}

/** Keeps another server from changing the same file in between. */
async function lockFolder(folder: string): Promise<Disposable> {
  const opened = await Deno.open(folder);
  try {
    await opened.lock(true);
  } catch {
    // Some network file systems cannot lock a folder.
  }
  return opened;
}
