import { printable, quoted } from "../../printable.ts";
import type { ImageFile } from "../../images/image_file.ts";
import { MAX_CAPTION_LENGTH } from "../../text/ptb/tokenizer.ts";
import type { OfficialSplits } from "../official_splits.ts";

/** A caption needs one such character: spaces and characters without a glyph, such as U+200B, are not enough. */
const VISIBLE = /[^\p{Cc}\p{Cf}\p{Z}]/u;

/** One caption of one image. */
export interface CaptionRow {
  /** The image's name. */
  readonly image: string;
  /** The caption as written in the file. */
  readonly caption: string;
}

/** A row that cannot be used. */
export interface RejectedRow {
  /** Its file. */
  readonly file: string;
  /** Its line, from 1, if the format has lines. */
  readonly line?: number;
  /** The reason: "has no caption". */
  readonly reason: string;
}

/** A dataset's captions. */
export interface CaptionData {
  /** The captions in file order. */
  readonly rows: readonly CaptionRow[];
  /** Unusable rows in file order. */
  readonly rejected: readonly RejectedRow[];
  /** The official split, if the captions contain one. */
  readonly splits?: OfficialSplits;
  /** The source of a split, for the user, even if it does not suffice: "the split in 'captions.csv'". */
  readonly splitSource?: string;
  /** How a split without validation or test set was completed, for the user. */
  readonly splitCompletion?: string;
  /** The location of each image, if the captions contain it. */
  readonly images?: ReadonlyMap<string, ImageFile>;
}

/**
 * Describes a rejected row on one line: "line 3 of captions.txt has no caption".
 *
 * @example The third line
 * ```ts
 * import assert from "node:assert/strict";
 * import { describeRejected } from "@lrcn/lrcn/data";
 *
 * const text = describeRejected({ file: "captions.txt", line: 3, reason: "has no caption" });
 * assert.equal(text, "line 3 of captions.txt has no caption");
 * ```
 */
export function describeRejected({ file, line, reason }: RejectedRow): string {
  return printable(line === undefined ? `${file}: ${reason}` : `line ${line} of ${file} ${reason}`);
}

/** Collects a file's rows, usable and rejected. */
export class CaptionRows {
  readonly rows: CaptionRow[] = [];
  readonly rejected: RejectedRow[] = [];

  constructor(readonly file: string) {}

  /**
   * Adds a row, or rejects it and returns false.
   *
   * @param place Its line, or a description of its place: "annotation 3".
   */
  add({ image, caption }: CaptionRow, place: number | string): boolean {
    // An absolute path is never opened: its end is searched in the image folders.
    const wrong = wrongName(image.replace(/^(?:[a-z]:)?[/\\]+/i, "")) ?? wrongCaption(caption);
    if (wrong !== undefined) this.reject(wrong, place);
    else this.rows.push({ image, caption });
    return wrong === undefined;
  }

  /**
   * Rejects a row.
   *
   * @param place Its line, or a description of its place.
   */
  reject(reason: string, place: number | string): void {
    const row = typeof place === "number" ? { line: place, reason } : { reason: `${place} ${reason}` };
    this.rejected.push({ file: this.file, ...row });
  }

  /**
   * The collected captions.
   *
   * @param splits The official split, if the captions contain one.
   */
  data(splits?: OfficialSplits): CaptionData {
    const { rows, rejected } = this;
    return { rows, rejected, ...(splits !== undefined && { splits }) };
  }
}

/** The reason an image's name cannot be used; undefined for a path that stays inside its folder. */
export function wrongName(name: string): string | undefined {
  if (name === "") return "has no image name";
  if (name.includes("\0")) return `has the image name ${quoted(name)}, which contains a NUL character`;
  if (/^(?:[/\\]|[a-z]:[/\\])/i.test(name)) {
    return `has the image name ${quoted(name)}, which is absolute; give it relative to the images folder`;
  }
  if (name.split(/[/\\]/).includes("..")) {
    return `has the image name ${quoted(name)}, which leads out of the images folder`;
  }
  return undefined;
}

// Refused before training begins: validation could not score it.
function wrongCaption(caption: string): string | undefined {
  if (!VISIBLE.test(caption)) return "has no caption";
  const { length } = caption;
  return length > MAX_CAPTION_LENGTH
    ? `has a caption of ${length} characters; at most ${MAX_CAPTION_LENGTH} are allowed`
    : undefined;
}

/** The non-blank lines of a text. */
export function captionLines(text: string): string[] {
  return text.split(/\r\n?|\n/).map((line) => line.trim()).filter((line) => line !== "");
}
