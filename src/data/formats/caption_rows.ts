import { printable, quoted } from "../../printable.ts";
import type { ImageFile } from "../../images/image_file.ts";
import { MAX_CAPTION_LENGTH } from "../../text/ptb/tokenizer.ts";
import type { OfficialSplits } from "../official_splits.ts";
import { listedCaptions } from "./caption_list.ts";

/** A caption needs one such character: spaces and characters without a glyph, such as U+200B, are not enough. */
const VISIBLE = /[^\p{Cc}\p{Cf}\p{Z}]/u;
/** What programs write for a missing value. */
const MISSING_VALUE = /^\s*(?:nan|null|none|undefined|n\/a|<na>)\s*$/i;

/** One caption of one image. */
export interface CaptionRow {
  /** The image's name. */
  readonly image: string;
  /** The caption as written in the file, in Unicode normalization form NFC. */
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
  /** What may surprise in the way they were read, a line each. */
  readonly remarks?: readonly string[];
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
  /** What may surprise in the way they were read. */
  readonly remarks: string[] = [];

  constructor(readonly file: string) {}

  /**
   * Adds a row, or rejects it. A caption that is a list in one text becomes several.
   *
   * @param place Its line, or a description of its place: "annotation 3".
   */
  add({ image, caption }: CaptionRow, place: number | string): void {
    this.addAll(image, [caption], place);
  }

  /**
   * Adds the captions of an image. Missing ones among others are skipped; if there is no other, the row is rejected. So is
   * each value that is not text.
   *
   * @param place Their line, or a description of their place.
   */
  addAll(image: string, values: readonly unknown[], place?: number | string): void {
    // An absolute path is never opened: its end is searched in the image folders.
    const wrong = wrongName(image.replace(/^(?:[a-z]:)?[/\\]+/i, ""));
    if (wrong !== undefined) return this.reject(wrong, place);
    const faults: string[] = [];
    let missing = "has no caption";
    let usable = 0;
    for (const value of values.flatMap(expanded)) {
      const fault = wrongCaption(value);
      if (fault === undefined && typeof value === "string") {
        this.rows.push({ image, caption: value.normalize("NFC") });
        usable++;
      } else if (fault?.isMissing) missing = fault.reason;
      else if (fault !== undefined) faults.push(fault.reason);
    }
    for (const reason of faults) this.reject(reason, place);
    if (usable + faults.length === 0) this.reject(missing, place);
  }

  /**
   * Rejects a row.
   *
   * @param place Its line, or a description of its place; omitted if the file is the row.
   */
  reject(reason: string, place?: number | string): void {
    const row = typeof place === "number"
      ? { line: place, reason }
      : { reason: place === undefined ? reason : `${place} ${reason}` };
    this.rejected.push({ file: this.file, ...row });
  }

  /**
   * The collected captions.
   *
   * @param splits The official split, if the captions contain one.
   */
  data(splits?: OfficialSplits): CaptionData {
    const { rows, rejected, remarks } = this;
    return { rows, rejected, ...(splits !== undefined && { splits }), ...(remarks.length > 0 && { remarks }) };
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

/** A list in one text as a list. */
function expanded(value: unknown): unknown {
  const listed = typeof value === "string" ? listedCaptions(value) : undefined;
  return Array.isArray(listed) && listed.length > 0 ? listed : value;
}

interface CaptionFault {
  readonly reason: string;
  /** Whether there is nothing where a caption could be. */
  readonly isMissing?: boolean;
}

// Refused before training begins: validation could not score it.
function wrongCaption(value: unknown): CaptionFault | undefined {
  if (value === null || value === undefined) return { reason: "has no caption", isMissing: true };
  if (typeof value !== "string") return { reason: "has a caption that is not text" };
  if (!VISIBLE.test(value)) return { reason: "has no caption", isMissing: true };
  if (MISSING_VALUE.test(value)) {
    return { reason: `has no caption: ${quoted(value.trim())} stands for a missing value`, isMissing: true };
  }
  const listed = listedCaptions(value);
  if (Array.isArray(listed) && listed.length === 0) return { reason: "has no caption", isMissing: true };
  if (listed !== undefined) return { reason: "has a list or an object that cannot be read as captions" };
  const { length } = value;
  return length > MAX_CAPTION_LENGTH
    ? { reason: `has a caption of ${length} characters; at most ${MAX_CAPTION_LENGTH} are allowed` }
    : undefined;
}
