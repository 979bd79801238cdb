import { openFile } from "../files/open_file.ts";
import { isTar } from "../files/tar.ts";
import { type FileKind, fileKind } from "./file_kind.ts";
import { CAPTION_KEY_IN_JSON, IMAGE_KEY_IN_JSON, IMAGE_KEYS } from "./formats/entry_keys.ts";
import { isFlickr30kHeader } from "./formats/flickr30k_csv.ts";
import { isFlickrTokenLine } from "./formats/flickr_token.ts";
import type { Format } from "./format_names.ts";
import { isJsonMap } from "./formats/json_map.ts";
import { isExcelLine, isKaggleHeader } from "./formats/kaggle_captions.ts";

/** Enough for some rows of any format. */
const PIECE_BYTES = 1 << 16;
/** A damaged row at the start must not hide the format. */
const INSPECTED_LINES = 5;
const FIRST_LINE_CHARACTERS = 40;

/** The key of COCO's captions. */
const CAPTION_KEY = /"captions?"\s*:/;
/** LLaVA's format: the answers are captions only if the questions ask for one. */
const CHAT: FileKind = {
  name: "a list of LLaVA's conversations",
  remedy: 'write the answers that describe an image as {"image": ..., "caption": ...}',
};

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

/**
 * Detects a file's format from its beginning and end, whatever its name.
 *
 * @throws {InputError} If it cannot be read.
 */
export async function detectFormat(path: string): Promise<DetectedFormat> {
  using file = await openFile(path);
  const head = await file.read(0, Math.min(PIECE_BYTES, file.size));
  if (isTar(head)) return { format: "webdataset", guess: undefined };
  const start = Math.max(0, file.size - PIECE_BYTES);
  // In COCO's files the captions follow all images.
  const tail = start === 0 ? new Uint8Array() : await file.read(start, file.size - start);
  const kind = fileKind(path, head, tail);
  if (kind !== undefined) return { format: undefined, guess: undefined, kind };
  return detectText(new TextDecoder().decode(head), new TextDecoder().decode(tail));
}

function detectText(head: string, tail: string): DetectedFormat {
  const lines = head.split(/\r\n?|\n/).filter((line) => line.trim() !== "").slice(0, INSPECTED_LINES);
  const [written, second] = lines;
  const first = written !== undefined && isExcelLine(written) ? second : written;
  if (first === undefined) {
    return { format: undefined, guess: undefined, kind: { name: "empty", remedy: "name another file" } };
  }
  if (/^\s*[[{]/.test(first)) {
    const format = formatOfJson(head, tail, lines);
    const isChat = format === undefined && /"conversations"\s*:/.test(head) && IMAGE_KEY_IN_JSON.test(head);
    return isChat ? { format, guess: undefined, kind: CHAT } : { format, guess: "json" };
  }
  if (isFlickr30kHeader(first)) return { format: "flickr30k-csv", guess: undefined };
  if (isKaggleHeader(first)) return { format: "kaggle", guess: undefined };
  if (lines.some(isFlickrTokenLine)) return { format: "flickr-token", guess: undefined };
  const guess = /image|caption/i.test(first) && first.includes(",") ? "kaggle" : undefined;
  return { format: undefined, guess, firstLine: first.slice(0, FIRST_LINE_CHARACTERS) };
}

function formatOfJson(head: string, tail: string, lines: readonly string[]): Format | undefined {
  const isEntry = (text: string) => IMAGE_KEY_IN_JSON.test(text) && CAPTION_KEY_IN_JSON.test(text);
  if (head.trimStart().startsWith("[")) return isEntry(head) ? "json" : undefined;
  if (lines.some((line) => isEntry(line) && isEntryObject(line))) return "json";
  if (/"(?:sentids|sentences)"\s*:/.test(head) && /"filename"\s*:/.test(head)) return "karpathy";
  const parts = /"(?:images|annotations)"\s*:/.test(head);
  if (parts && (CAPTION_KEY.test(head) || CAPTION_KEY.test(tail))) return "coco";
  return isJsonMap(head) ? "json-map" : undefined;
}

function isEntryObject(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && IMAGE_KEYS.some((key) => key in value);
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
