import { openFile } from "../files/open_file.ts";
import { isTar } from "../files/tar.ts";
import { isFlickr30kHeader } from "./formats/flickr30k_csv.ts";
import { isFlickrTokenLine } from "./formats/flickr_token.ts";
import type { Format } from "./format_names.ts";
import { isKaggleHeader } from "./formats/kaggle_captions.ts";

/** Enough for some rows of any format. */
const PIECE_BYTES = 1 << 16;
/** A damaged row at the start must not hide the format. */
const INSPECTED_LINES = 5;
const FIRST_LINE_CHARACTERS = 40;

const CAPTION_KEY = /"captions?"\s*:/;
/** Hugging Face's `metadata.jsonl`. */
const FILE_NAME_AND_TEXT = /"file_name"\s*:.*"(?:text|caption)"\s*:|"(?:text|caption)"\s*:.*"file_name"\s*:/;

export interface DetectedFormat {
  /** Undefined if it is not a known format. */
  readonly format: Format | undefined;
  /** The format of which this file could be a faulty example. */
  readonly guess: Format | undefined;
  /** For files without captions: what the file is. */
  readonly kind?: FileKind;
  /** Its first line, shortened, if it is text in no known format. */
  readonly firstLine?: string;
}

export interface FileKind {
  /** A description: "empty", "compressed with gzip". */
  readonly name: string;
  /** What the user can do. */
  readonly remedy: string;
}

/**
 * Detects a file's format from its beginning and end, whatever its name.
 *
 * @throws {InputError} If it cannot be read.
 */
export async function detectFormat(path: string): Promise<DetectedFormat> {
  using file = await openFile(path);
  const head = await file.read(0, Math.min(PIECE_BYTES, file.size));
  if (isTar(head)) return { format: "webdataset", guess: undefined };
  const kind = KINDS[head.subarray(0, 2).toHex()];
  if (kind !== undefined) return { format: undefined, guess: undefined, kind };
  const start = Math.max(0, file.size - PIECE_BYTES);
  // In COCO's files the captions follow all images.
  const tail = start === 0 ? "" : new TextDecoder().decode(await file.read(start, file.size - start));
  return detectText(new TextDecoder().decode(head), tail);
}

/** By the first two bytes. */
const KINDS: Readonly<Record<string, FileKind>> = {
  "1f8b": { name: "compressed with gzip", remedy: "unpack it" },
  "504b": { name: "a zip archive", remedy: "unpack it" },
  "fffe": { name: "text in UTF-16", remedy: "convert it to UTF-8" },
  "feff": { name: "text in UTF-16", remedy: "convert it to UTF-8" },
};

function detectText(head: string, tail: string): DetectedFormat {
  const lines = head.split(/\r\n?|\n/).filter((line) => line.trim() !== "").slice(0, INSPECTED_LINES);
  const [first] = lines;
  if (first === undefined) {
    return { format: undefined, guess: undefined, kind: { name: "empty", remedy: "name another file" } };
  }
  if (/^\s*[[{]/.test(first)) return { format: formatOfJson(head, tail, lines), guess: "json" };
  if (isFlickr30kHeader(first)) return { format: "flickr30k-csv", guess: undefined };
  if (isKaggleHeader(first)) return { format: "kaggle", guess: undefined };
  if (lines.some(isFlickrTokenLine)) return { format: "flickr-token", guess: undefined };
  const guess = /image|caption/i.test(first) && first.includes(",") ? "kaggle" : undefined;
  return { format: undefined, guess, firstLine: first.slice(0, FIRST_LINE_CHARACTERS) };
}

function formatOfJson(head: string, tail: string, lines: readonly string[]): Format | undefined {
  const isEntry = (text: string) => /"image"\s*:/.test(text) && CAPTION_KEY.test(text);
  if (head.trimStart().startsWith("[")) return isEntry(head) ? "json" : undefined;
  if (lines.some((line) => (isEntry(line) || FILE_NAME_AND_TEXT.test(line)) && isObject(line))) return "json";
  if (/"(?:sentids|sentences)"\s*:/.test(head) && /"filename"\s*:/.test(head)) return "karpathy";
  const parts = /"(?:images|annotations)"\s*:/.test(head);
  return parts && (CAPTION_KEY.test(head) || CAPTION_KEY.test(tail)) ? "coco" : undefined;
}

function isObject(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && ("image" in value || "file_name" in value);
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
