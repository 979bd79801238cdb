// A cache's index: which file has which image, which images are stored where, and which cannot be used. It consists of
// two append-only files of JSON lines; later lines override earlier ones.

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

/** A file, and the digest of the image it contained in that state. */
export type FileLine = FileState & { readonly content: string };

/** A decodable image: where its resized image is stored, with a checksum. Without a slot, it is not stored. */
export interface StoredImage {
  /** The image's digest. */
  readonly content: string;
  /** Width in pixels, compared with later pixel limits. */
  readonly width: number;
  /** Height in pixels. */
  readonly height: number;
  /** Its slot in the file of resized images. */
  readonly slot?: number | undefined;
  /** CRC-32 of its resized image. */
  readonly checksum?: number | undefined;
}

/** An image that cannot be used, as a line of `quarantine.jsonl`. */
export interface BadImage extends FileLine {
  readonly reason: string;
  /** The image is at fault, or its decoder crashed or took too long. */
  readonly kind: "image" | "decoder";
  /** The pixel limit at that time. */
  readonly maxPixels: number;
}

export const CACHE_FILES = { resized: "resized.bin", index: "index.jsonl", quarantine: "quarantine.jsonl" } as const;

/** The contents of a cache. */
export class CacheIndex {
  /** Bytes of complete lines in its two files. */
  readonly wholeBytes = { index: 0, quarantine: 0 };
  readonly #files = new Map<string, FileLine>();
  readonly #images = new Map<string, StoredImage>();
  readonly #bad = new Map<string, BadImage>();
  readonly #badFiles = new Map<string, BadImage>();

  /** Decodable images, stored or not. */
  get images(): Iterable<StoredImage> {
    return this.#images.values();
  }

  /** The digest of a file's image, if the file has not changed since it was computed. */
  contentOf(state: FileState): string | undefined {
    const line = this.#files.get(fileKey(state));
    return line !== undefined && sameState(line, state) ? line.content : undefined;
  }

  /** The entry of a decodable image. */
  image(content: string): StoredImage | undefined {
    return this.#images.get(content);
  }

  /** The entry of an unusable image. */
  bad(content: string): BadImage | undefined {
    return this.#images.has(content) ? undefined : this.#bad.get(content);
  }

  /** Unchanged files with unusable images, in the order they were found. */
  get badFiles(): BadImage[] {
    return [...this.#badFiles.values()].filter((line) => {
      const now = this.#files.get(fileKey(line));
      return !this.#images.has(line.content) && (now === undefined || now.content === line.content);
    });
  }

  /** Tells whether a quarantine line adds nothing. */
  knowsBad(line: BadImage): boolean {
    const known = this.#badFiles.get(fileKey(line));
    return known?.content === line.content && known.reason === line.reason && known.maxPixels >= line.maxPixels &&
      sameState(known, line);
  }

  addFile(line: FileLine): void {
    this.#files.set(fileKey(line), line);
  }

  addImage(image: StoredImage): void {
    this.#images.set(image.content, image);
  }

  forget(content: string): void {
    this.#images.delete(content);
  }

  addBad(line: BadImage): void {
    this.#bad.set(line.content, line);
    this.#badFiles.set(fileKey(line), line);
  }
}

/**
 * Reads a cache's index. Torn or damaged lines are skipped: their images are decoded again.
 *
 * @param folder The cache's folder; a missing one is empty.
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
