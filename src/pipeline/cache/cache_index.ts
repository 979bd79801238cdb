/**
 * The index of a cache: which files hold which images, which images are stored where, and which cannot be used. It lies in
 * two files of JSON lines that only grow; a later line replaces an earlier one.
 *
 * @module
 */

import { join } from "node:path";
import { z } from "zod";
import { fileKey, type FileState, sameState } from "./image_content.ts";
import { readJsonLines } from "../../files/json_lines.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const place = {
  path: z.string().max(4096),
  offset: z.int().nonnegative().optional(),
  size: z.int().nonnegative(),
  changed: z.number(),
  content: digest,
};
const FileLine = z.strictObject(place);
const side = z.int().positive().max(2 ** 31);
const ImageLine = z.strictObject({
  content: digest,
  width: side,
  height: side,
  slot: z.int().nonnegative().max(2 ** 31).optional(),
  checksum: z.int().nonnegative().optional(),
});
const ForgottenLine = z.strictObject({ content: digest, forgotten: z.literal(true) });
const BadLine = z.strictObject({
  ...place,
  reason: z.string(),
  kind: z.enum(["image", "decoder"]),
  maxPixels: z.number(),
});

/** A file, and the digest of the image that it held in that state. */
export type FileLine = FileState & { readonly content: string };

/** An image that can be decoded: where its square is stored, with the square's checksum; without, it is not stored. */
export interface StoredImage {
  /** The image's digest. */
  readonly content: string;
  /** Its pixels in a row, by which a later limit of pixels judges it. */
  readonly width: number;
  /** Its rows. */
  readonly height: number;
  /** The number of its square in the file of squares. */
  readonly slot?: number | undefined;
  /** CRC-32 of its square. */
  readonly checksum?: number | undefined;
}

/** An image that cannot be used, as a line of `quarantine.jsonl`. */
export interface BadImage extends FileLine {
  /** What is wrong with it. */
  readonly reason: string;
  /** Whether the image is at fault, or its decoder died or took too long. */
  readonly kind: "image" | "decoder";
  /** The limit of pixels at that time. */
  readonly maxPixels: number;
}

/** Names of the files in a cache's folder. */
export const CACHE_FILES = { resized: "resized.bin", index: "index.jsonl", quarantine: "quarantine.jsonl" } as const;

/** What a cache is known to hold. */
export class CacheIndex {
  /** Bytes of whole lines in its two files. */
  readonly wholeBytes = { index: 0, quarantine: 0 };
  readonly #files = new Map<string, FileLine>();
  readonly #images = new Map<string, StoredImage>();
  readonly #bad = new Map<string, BadImage>();
  readonly #badFiles = new Map<string, BadImage>();

  /** Images that can be decoded, stored or not. */
  get images(): Iterable<StoredImage> {
    return this.#images.values();
  }

  /** The digest of what a file holds, if it is as it was when that was found out. */
  contentOf(state: FileState): string | undefined {
    const line = this.#files.get(fileKey(state));
    return line !== undefined && sameState(line, state) ? line.content : undefined;
  }

  /** What is known of an image that can be decoded. */
  image(content: string): StoredImage | undefined {
    return this.#images.get(content);
  }

  /** What is known of an image that cannot be used. */
  bad(content: string): BadImage | undefined {
    return this.#images.has(content) ? undefined : this.#bad.get(content);
  }

  /** Files whose images cannot be used, in the order in which that was found out, as far as the files have not changed since. */
  get badFiles(): BadImage[] {
    return [...this.#badFiles.values()].filter((line) => {
      const now = this.#files.get(fileKey(line));
      return !this.#images.has(line.content) && (now === undefined || now.content === line.content);
    });
  }

  /** Whether a line of the quarantine says nothing new. */
  knowsBad(line: BadImage): boolean {
    const known = this.#badFiles.get(fileKey(line));
    return known?.content === line.content && known.reason === line.reason && known.maxPixels >= line.maxPixels &&
      sameState(known, line);
  }

  /** Takes note of a file. */
  addFile(line: FileLine): void {
    this.#files.set(fileKey(line), line);
  }

  /** Takes note of an image that can be decoded. */
  addImage(image: StoredImage): void {
    this.#images.set(image.content, image);
  }

  /** Forgets an image, stored or not. */
  forget(content: string): void {
    this.#images.delete(content);
  }

  /** Takes note of an image that cannot be used. */
  addBad(line: BadImage): void {
    this.#bad.set(line.content, line);
    this.#badFiles.set(fileKey(line), line);
  }
}

/**
 * Reads a cache's index. Lines that are torn or damaged are passed over: what they told of is made anew.
 *
 * @param folder The cache's folder; one that is not there holds nothing.
 * @throws {InputError} If it cannot be read.
 */
export async function readCacheIndex(folder: string): Promise<CacheIndex> {
  const index = new CacheIndex();
  index.wholeBytes.index = await readJsonLines(join(folder, CACHE_FILES.index), (value) => {
    if (typeof value !== "object" || value === null) return;
    if ("path" in value) {
      const file = FileLine.safeParse(value);
      if (file.success) index.addFile(file.data);
    } else if ("forgotten" in value) {
      const image = ForgottenLine.safeParse(value);
      if (image.success) index.forget(image.data.content);
    } else {
      const image = ImageLine.safeParse(value);
      if (image.success) index.addImage(image.data);
    }
  });
  index.wholeBytes.quarantine = await readJsonLines(join(folder, CACHE_FILES.quarantine), (value) => {
    const bad = BadLine.safeParse(value);
    if (bad.success) index.addBad(bad.data);
  });
  return index;
}
