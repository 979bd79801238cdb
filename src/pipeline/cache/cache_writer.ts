// Writes a cache's files so that a kill at any moment leaves them consistent: resized images are flushed before the
// index lines that refer to them.

import { join } from "node:path";
import { errorCode, fileErrorReason } from "../../files/file_error.ts";
import { InputError } from "../../input_error.ts";
import { type BadImage, CACHE_FILES, type CacheIndex, type FileLine, type StoredImage } from "./cache_index.ts";
import { jsonLine } from "../../files/json_lines.ts";
import { checksumOf, resizedBytes, type ResizedFile } from "./resized_file.ts";

/** An open file, as far as a cache writes it. */
export type CacheFile = Pick<Deno.FsFile, "seek" | "write" | "truncate" | "syncData" | "close">;

/** Opens a file for writing at any offset; creates it if missing. */
export type OpenCacheFile = (path: string) => Promise<CacheFile>;

export interface CacheWriterOptions {
  /** The cache's folder, locked by this process. */
  readonly folder: string;
  /** Side of the resized images in pixels. */
  readonly side: number;
  /** The cache's index; updated. */
  readonly index: CacheIndex;
  /** The cache's resized images, if it has any. */
  readonly resized: ResizedFile | undefined;
  readonly open: OpenCacheFile;
}

/** Resized images and lines between two flushes. */
const FLUSH_EVERY = 128;

/** Tells whether an error means that the disk is full. */
export function isDiskFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT", "EFBIG"].includes(codeOf(error));
}

/** Tells whether an error means that the folder is not writable. */
export function isReadOnly(error: unknown): boolean {
  return ["EROFS", "EACCES", "EPERM"].includes(codeOf(error));
}

function codeOf(error: unknown): string {
  return errorCode(error instanceof InputError ? error.cause : error);
}

export function openCacheFile(path: string): Promise<CacheFile> {
  return Deno.open(path, { write: true, create: true });
}

/** Writes a cache; close it at the end. */
export class CacheWriter {
  readonly #options: CacheWriterOptions;
  readonly #index: LineFile;
  readonly #quarantine: LineFile;
  readonly #file: CacheFile;
  readonly #freeSlots: Generator<number, number>;
  /** Where the file of resized images ends without those of this writer. */
  readonly #end: number;
  /** Images that this writer stored. */
  readonly #stored: StoredImage[] = [];
  #sinceFlush = 0;

  constructor(
    options: CacheWriterOptions,
    files: readonly [resized: CacheFile, index: LineFile, quarantine: LineFile],
  ) {
    const { index, resized, side } = options;
    this.#options = options;
    [this.#file, this.#index, this.#quarantine] = files;
    const used = new Set<number>();
    for (const image of [...index.images]) {
      if (image.slot === undefined) continue;
      if (resized?.reaches(image)) used.add(image.slot);
      else this.#drop(image);
    }
    this.#end = used.size === 0 ? 0 : (used.values().reduce((a, b) => Math.max(a, b)) + 1) * resizedBytes(side);
    this.#freeSlots = slotsWithout(used);
  }

  /** Records a file. */
  async addFile(line: FileLine): Promise<void> {
    this.#index.add(line);
    await this.#flushNowAndThen();
  }

  /** Records a decodable image that is not, or no longer, stored. */
  async addImage(image: StoredImage): Promise<void> {
    this.#drop(image);
    await this.#flushNowAndThen();
  }

  /** Records an unusable image. */
  async addBad(line: BadImage): Promise<void> {
    const { index } = this.#options;
    if (index.image(line.content) !== undefined) {
      index.forget(line.content);
      this.#index.add({ content: line.content, forgotten: true });
    }
    if (!index.knowsBad(line)) {
      index.addBad(line);
      this.#quarantine.add(line);
    }
    await this.#flushNowAndThen();
  }

  /**
   * Stores a resized image.
   *
   * @throws {InputError} If it cannot be written; check {@linkcode isDiskFull}.
   */
  async store(decoded: StoredImage, pixels: Uint8Array): Promise<void> {
    const slot = this.#freeSlots.next().value;
    await this.#attempt(async () => {
      await this.#file.seek(slot * pixels.length, Deno.SeekMode.Start);
      await writeAll(this.#file, pixels);
    });
    const image = { ...decoded, slot, checksum: checksumOf(pixels) };
    this.#stored.push(image);
    this.#options.index.addImage(image);
    this.#index.add(image);
    await this.#flushNowAndThen();
  }

  /** Frees the space of this writer's resized images. */
  async undoStoring(): Promise<void> {
    await this.#attempt(() => this.#file.truncate(this.#end));
    // Their lines may already be on disk: later lines say that they are no longer stored.
    for (const image of this.#stored.splice(0)) this.#drop(image);
    await this.flush();
  }

  /** Flushes everything to the disk. */
  async flush(): Promise<void> {
    this.#sinceFlush = 0;
    await this.#attempt(async () => {
      await this.#file.syncData();
      await this.#index.flush();
      await this.#quarantine.flush();
    });
  }

  /** Closes the files. Unflushed data are lost. */
  close(): void {
    this.#file.close();
    this.#index.close();
    this.#quarantine.close();
  }

  #drop({ content, width, height }: StoredImage): void {
    this.#options.index.addImage({ content, width, height });
    this.#index.add({ content, width, height });
  }

  async #flushNowAndThen(): Promise<void> {
    if (++this.#sinceFlush >= FLUSH_EVERY) await this.flush();
  }

  async #attempt<T>(operation: () => Promise<T>): Promise<T> {
    return await attempt(this.#options.folder, operation);
  }
}

/**
 * Opens a cache's files for writing. New lines overwrite a torn last line.
 *
 * @throws {InputError} If they cannot be written.
 */
export async function openCacheWriter(options: CacheWriterOptions): Promise<CacheWriter> {
  const { folder, index, open } = options;
  return await attempt(folder, async () => {
    await using opened = new AsyncDisposableStack();
    const openNamed = async (name: string) => opened.adopt(await open(join(folder, name)), (file) => file.close());
    const resized = await openNamed(CACHE_FILES.resized);
    const lines = new LineFile(await openNamed(CACHE_FILES.index), index.wholeBytes.index);
    const bad = new LineFile(await openNamed(CACHE_FILES.quarantine), index.wholeBytes.quarantine);
    const writer = new CacheWriter(options, [resized, lines, bad]);
    opened.move();
    return writer;
  });
}

/** Appends lines after a file's last complete line. */
class LineFile {
  readonly #file: CacheFile;
  #end: number;
  #pending: string[] = [];

  constructor(file: CacheFile, end: number) {
    this.#file = file;
    this.#end = end;
  }

  add(value: unknown): void {
    this.#pending.push(jsonLine(value));
  }

  async flush(): Promise<void> {
    if (this.#pending.length === 0) return;
    const bytes = new TextEncoder().encode(this.#pending.join(""));
    // Overwrites what a failed flush or a killed process left there.
    await this.#file.seek(this.#end, Deno.SeekMode.Start);
    await writeAll(this.#file, bytes);
    this.#end += bytes.length;
    this.#pending = [];
    await this.#file.syncData();
  }

  close(): void {
    this.#file.close();
  }
}

async function writeAll(file: CacheFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const count = await file.write(bytes.subarray(written));
    if (count <= 0) throw new Error("the disk accepts no more bytes");
    written += count;
  }
}

function* slotsWithout(used: ReadonlySet<number>): Generator<number, number> {
  for (let slot = 0;; slot++) if (!used.has(slot)) yield slot;
}

async function attempt<T>(folder: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new InputError(`Cannot write the cache '${folder}': ${fileErrorReason(error)}`, { cause: error });
  }
}
