/**
 * The database of one way to preprocess images: which file holds which image, which images cannot be used, and the resized
 * pixels of the others.
 *
 * @module
 */

import { join } from "node:path";
import { crc32 } from "node:zlib";
import { z } from "zod";
import type { Database } from "../../files/database.ts";
import type { ImageSize } from "../../images/image_limits.ts";
import { InputError } from "../../input_error.ts";
import { openCacheDatabase } from "./cache_database.ts";
import { lockCacheAlone } from "./cache_lock.ts";
import type { FileState } from "./image_content.ts";

/** Why an image cannot be used. */
export interface Unusable {
  readonly reason: string;
  /** The image is at fault, or its decoder crashed or took too long. */
  readonly kind: "image" | "decoder";
  /** The pixel limit at that time. */
  readonly maxPixels: number;
}

/** The result of decoding an image. */
export type Outcome = ImageSize | Unusable;

/** A file, its image, and the result of decoding it. */
export interface ImageEntry {
  /** SHA-256 of the image's bytes. */
  readonly content: string;
  /** The file, unless it changed so recently that it must be read again. */
  readonly file?: FileState | undefined;
  /** Undefined if it is stored already. */
  readonly outcome?: Outcome | undefined;
  /** The resized image: side x side x 3. */
  readonly pixels?: Uint8Array | undefined;
}

/** A file whose image cannot be used. */
export interface UnusableFile {
  readonly path: string;
  readonly reason: string;
}

/** Bytes of a resized image: side x side x 3. */
export function resizedBytes(side: number): number {
  return side * side * 3;
}

/** The database in a cache's folder. */
export const DATABASE_NAME = "images.sqlite";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS files (
    path TEXT NOT NULL, offset INTEGER NOT NULL, size INTEGER NOT NULL, changed REAL NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (path, offset)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS images (
    content TEXT PRIMARY KEY, width INTEGER, height INTEGER, reason TEXT, kind TEXT, max_pixels REAL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS pixels (content TEXT PRIMARY KEY, checksum INTEGER NOT NULL, pixels BLOB NOT NULL);
`;
/** The offset of an image that is a file of its own. */
const WHOLE_FILE = -1;

const fileRow = z.object({ size: z.number(), changed: z.number(), content: z.string() });
const sizeRow = z.object({ width: z.number(), height: z.number() });
const unusableRow = z.object({ reason: z.string(), kind: z.enum(["image", "decoder"]), max_pixels: z.number() });
const pixelsRow = z.object({ checksum: z.number(), pixels: z.instanceof(Uint8Array<ArrayBuffer>) });
const unusableFileRow = z.object({ path: z.string(), reason: z.string() });

/** The images of one cache. */
export class ImageStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The digest of a file's image, if the file has not changed since it was stored. */
  contentOf({ path, offset = WHOLE_FILE, size, changed }: FileState): string | undefined {
    const row = this.#database.row(
      "SELECT size, changed, content FROM files WHERE path = ? AND offset = ?",
      path,
      offset,
    );
    const file = row && fileRow.parse(row);
    return file?.size === size && file.changed === changed ? file.content : undefined;
  }

  /** The result of decoding an image; undefined if it is not stored. */
  outcome(content: string): Outcome | undefined {
    const row = this.#database.row("SELECT * FROM images WHERE content = ?", content);
    if (row === undefined) return undefined;
    if (row.reason === null) return sizeRow.parse(row);
    const { max_pixels: maxPixels, ...others } = unusableRow.parse(row);
    return { ...others, maxPixels };
  }

  /** Whether an image's pixels are stored. */
  hasPixels(content: string): boolean {
    return this.#database.row("SELECT 1 FROM pixels WHERE content = ?", content) !== undefined;
  }

  /**
   * Reads a resized image; undefined if it is not stored.
   *
   * @throws {InputError} If it is damaged, or the database cannot be read.
   */
  pixels(content: string): Uint8Array<ArrayBuffer> | undefined {
    const row = this.#database.row("SELECT checksum, pixels FROM pixels WHERE content = ?", content);
    if (row === undefined) return undefined;
    const { checksum, pixels } = pixelsRow.parse(row);
    if (crc32(pixels) !== checksum) throw new InputError("its checksum is wrong");
    return pixels;
  }

  /**
   * Stores entries, all or none.
   *
   * @throws {InputError} If they cannot be written; check `isDatabaseFull`.
   */
  add(entries: readonly ImageEntry[]): void {
    this.#database.transaction(() => {
      for (const { content, file, outcome, pixels } of entries) {
        if (file !== undefined) this.#addFile(file, content);
        if (outcome !== undefined) this.#addOutcome(content, outcome);
        if (pixels === undefined) continue;
        this.#database.run("INSERT OR REPLACE INTO pixels VALUES (?, ?, ?)", content, crc32(pixels), pixels);
      }
    });
  }

  #addFile({ path, offset = WHOLE_FILE, size, changed }: FileState, content: string): void {
    this.#database.run("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", path, offset, size, changed, content);
  }

  #addOutcome(content: string, outcome: Outcome): void {
    const values = "reason" in outcome
      ? [null, null, outcome.reason, outcome.kind, outcome.maxPixels]
      : [outcome.width, outcome.height, null, null, null];
    this.#database.run("INSERT OR REPLACE INTO images VALUES (?, ?, ?, ?, ?, ?)", content, ...values);
  }

  /** The digests of the images whose pixels are stored. */
  stored(): string[] {
    return this.#database.rows("SELECT content FROM pixels ORDER BY rowid").map(({ content }) => String(content));
  }

  /** The files whose images cannot be used, by path. */
  unusableFiles(): UnusableFile[] {
    const sql =
      "SELECT path, reason FROM files JOIN images USING (content) WHERE reason IS NOT NULL ORDER BY path, offset";
    return this.#database.rows(sql).map((row) => unusableFileRow.parse(row));
  }

  /** Removes the pixels of images. */
  dropPixels(contents: readonly string[]): void {
    this.#database.transaction(() => {
      for (const content of contents) this.#database.run("DELETE FROM pixels WHERE content = ?", content);
    });
  }
}

/** An open store, locked against removal. */
export interface OpenStore extends Disposable {
  /** Undefined if the folder cannot be written and holds none. */
  readonly store: ImageStore | undefined;
  /** Why nothing can be written; undefined if it can. */
  readonly readOnly: InputError | undefined;
}

/**
 * Opens the store in a cache's folder, and creates it if it is missing.
 *
 * @throws {InputError} If it can be neither written nor read; check `isDatabaseDamaged`.
 */
export async function openImageStore(folder: string): Promise<OpenStore> {
  const { database, readOnly, ...closing } = await openCacheDatabase(folder, DATABASE_NAME, SCHEMA);
  return { store: database && new ImageStore(database), readOnly, ...closing };
}

/**
 * Removes a damaged store, so that it is made again.
 *
 * @throws {InputError} If another process has it open.
 */
export async function removeImageStore(folder: string): Promise<void> {
  using alone = await lockCacheAlone(folder);
  if (alone === undefined) {
    throw new InputError(`Cannot repair the cache '${folder}': another process uses it; wait for its end or stop it`);
  }
  const path = join(folder, DATABASE_NAME);
  for (const name of [path, `${path}-journal`]) await Deno.remove(name).catch(() => {});
}
