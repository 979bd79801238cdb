/**
 * What the readers of all formats give: captions, and what could not be used.
 *
 * @module
 */

import { printable, quoted } from "../../printable.ts";
import type { ImageFile } from "../../images/image_file.ts";
import type { OfficialSplits } from "../official_splits.ts";

/** What a caption of spaces and of characters without a shape, such as U+200B, has not. */
const VISIBLE = /[^\p{Cc}\p{Cf}\p{Z}]/u;

/** One caption of one image. */
export interface CaptionRow {
  /** The image's name. */
  readonly image: string;
  /** The caption as it is written in the file. */
  readonly caption: string;
}

/** A row that cannot be used. */
export interface RejectedRow {
  /** The file that it stands in. */
  readonly file: string;
  /** Its line there, from 1, where the format has lines. */
  readonly line?: number;
  /** What is wrong with it: "has no caption". */
  readonly reason: string;
}

/** A dataset's captions. */
export interface CaptionData {
  /** The captions in the order of the file. */
  readonly rows: readonly CaptionRow[];
  /** What cannot be used, in the order of the file. */
  readonly rejected: readonly RejectedRow[];
  /** The authors' own split, where the captions tell it. */
  readonly splits?: OfficialSplits;
  /** Where each image is, where the captions tell it. */
  readonly images?: ReadonlyMap<string, ImageFile>;
}

/**
 * Names a rejected row and says what is wrong with it.
 *
 * @param row The row.
 * @returns A clause on one line: "line 3 of captions.txt has no caption".
 *
 * @example The third line
 * ```ts
 * import assert from "node:assert/strict";
 * import { describeRejected } from "@lrcn/lrcn";
 *
 * const text = describeRejected({ file: "captions.txt", line: 3, reason: "has no caption" });
 * assert.equal(text, "line 3 of captions.txt has no caption");
 * ```
 */
export function describeRejected({ file, line, reason }: RejectedRow): string {
  return printable(line === undefined ? `${file}: ${reason}` : `line ${line} of ${file} ${reason}`);
}

/** Gathers a file's rows, and keeps apart those that cannot be used. */
export class CaptionRows {
  /** The rows that can be used. */
  readonly rows: CaptionRow[] = [];
  /** The others. */
  readonly rejected: RejectedRow[] = [];

  /** @param file The file that they stand in. */
  constructor(readonly file: string) {}

  /**
   * Takes a row.
   *
   * @param row Image and caption.
   * @param place Its line, or words for its place: "annotation 3".
   * @returns Whether it can be used.
   */
  add({ image, caption }: CaptionRow, place: number | string): boolean {
    const wrong = wrongName(image) ?? (VISIBLE.test(caption) ? undefined : "has no caption");
    if (wrong !== undefined) this.reject(wrong, place);
    else this.rows.push({ image, caption });
    return wrong === undefined;
  }

  /**
   * Keeps a row apart.
   *
   * @param reason What is wrong with it.
   * @param place Its line, or words for its place.
   */
  reject(reason: string, place: number | string): void {
    const row = typeof place === "number" ? { line: place, reason } : { reason: `${place} ${reason}` };
    this.rejected.push({ file: this.file, ...row });
  }

  /**
   * What was gathered.
   *
   * @param splits The authors' own split, where the captions tell it.
   */
  data(splits?: OfficialSplits): CaptionData {
    const { rows, rejected } = this;
    return { rows, rejected, ...(splits !== undefined && { splits }) };
  }
}

/**
 * Why an image's name cannot be used.
 *
 * @param name The name.
 * @returns What is wrong with it; undefined for a path that stays in its folder.
 */
export function wrongName(name: string): string | undefined {
  if (name === "") return "has no image name";
  if (name.includes("\0")) return `has the image name ${quoted(name)}, which holds a NUL character`;
  if (/^(?:[/\\]|[a-z]:[/\\])/i.test(name)) {
    return `has the image name ${quoted(name)}, which is absolute; give it relative to the images folder`;
  }
  if (name.split(/[/\\]/).includes("..")) {
    return `has the image name ${quoted(name)}, which leads out of the images folder`;
  }
  return undefined;
}

/**
 * The captions of a text with one on each line; blank lines are passed over.
 *
 * @param text The text.
 */
export function captionLines(text: string): string[] {
  return text.split(/\r\n?|\n/).map((line) => line.trim()).filter((line) => line !== "");
}
