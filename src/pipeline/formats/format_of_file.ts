/**
 * Telling the format of a file by looking into it.
 *
 * @module
 */

import { openFile } from "../../files/open_file.ts";
import { isTar } from "../../files/tar.ts";
import { isFlickr30kHeader } from "./flickr30k_csv.ts";
import { isFlickrTokenLine } from "./flickr_token.ts";
import type { Format } from "./format.ts";
import { isKaggleHeader } from "./kaggle_captions.ts";

/** Enough for some rows of any format. */
const PIECE_BYTES = 1 << 16;
/** A damaged row among the first must not hide the format. */
const LOOKED_AT_LINES = 5;

const CAPTION_KEY = /"captions?"\s*:/;

/** What a file's first bytes tell. */
export interface FileLook {
  /** The format, or undefined where it is none of those known. */
  readonly format: Format | undefined;
  /** The format that the file could be a faulty example of. */
  readonly guess: Format | undefined;
  /** What it is else: "empty", "compressed with gzip". */
  readonly kind?: string;
}

/**
 * Looks at a file's beginning and end; its name does not matter.
 *
 * @param path The file.
 * @returns What it is.
 * @throws {InputError} If it cannot be read.
 */
export async function lookAtFile(path: string): Promise<FileLook> {
  using file = await openFile(path);
  const head = await file.read(0, Math.min(PIECE_BYTES, file.size));
  if (isTar(head)) return { format: "webdataset", guess: undefined };
  const kind = compression(head);
  if (kind !== undefined) return { format: undefined, guess: undefined, kind };
  const start = Math.max(0, file.size - PIECE_BYTES);
  // In COCO's files the captions stand after all images.
  const tail = start === 0 ? "" : new TextDecoder().decode(await file.read(start, file.size - start));
  return lookAtText(new TextDecoder().decode(head), tail);
}

function compression([first, second]: Uint8Array): string | undefined {
  if (first === 0x1f && second === 0x8b) return "compressed with gzip";
  return first === 0x50 && second === 0x4b ? "a zip archive" : undefined;
}

function lookAtText(head: string, tail: string): FileLook {
  const lines = head.split(/\r?\n/).filter((line) => line.trim() !== "").slice(0, LOOKED_AT_LINES);
  const [first] = lines;
  if (first === undefined) return { format: undefined, guess: undefined, kind: "empty" };
  if (/^\s*[[{]/.test(first)) return { format: formatOfJson(head, tail, lines), guess: "json" };
  if (isFlickr30kHeader(first)) return { format: "flickr30k-csv", guess: undefined };
  if (isKaggleHeader(first)) return { format: "kaggle", guess: undefined };
  if (lines.some(isFlickrTokenLine)) return { format: "flickr-token", guess: undefined };
  return { format: undefined, guess: /image|caption/i.test(first) && first.includes(",") ? "kaggle" : undefined };
}

function formatOfJson(head: string, tail: string, lines: readonly string[]): Format | undefined {
  const isEntry = (text: string) => /"image"\s*:/.test(text) && CAPTION_KEY.test(text);
  if (head.trimStart().startsWith("[")) return isEntry(head) ? "json" : undefined;
  if (lines.some((line) => isEntry(line) && isObject(line))) return "json";
  if (/"(?:sentids|sentences)"\s*:/.test(head) && /"filename"\s*:/.test(head)) return "karpathy";
  const parts = /"(?:images|annotations)"\s*:/.test(head);
  return parts && (CAPTION_KEY.test(head) || CAPTION_KEY.test(tail)) ? "coco" : undefined;
}

function isObject(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "image" in value;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
