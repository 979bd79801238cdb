/**
 * Bringing a cache to where it knows all images of a dataset, with or without their squares.
 *
 * @module
 */

import { ImageError } from "../images/image_error.ts";
import type { Decoders, ImageCacheOptions } from "../image_cache.ts";
import { type CacheIndex, readCacheIndex, type StoredImage } from "./cache_index.ts";
import { lockCache } from "./cache_lock.ts";
import { isDiskFull, type OpenCacheFile, openCacheFile, openCacheWriter } from "./cache_writer.ts";
import { fillCache, type UnknownFile } from "./fill_cache.ts";
import type { FoundFile } from "./find_files.ts";
import { describeBytes, freeBytes } from "./free_space.ts";
import { fileKey, type FileState } from "./image_content.ts";
import { openSquaresIfThere, squareBytes } from "./squares_file.ts";
import { type MakeSquare, type Unknown, unknownImages } from "./unknown_images.ts";

/** The disk, as far as a cache needs it. */
export interface CacheDisk {
  /** Bytes that a folder's disk has left; undefined where they are not known. */
  readonly freeBytes: (folder: string) => Promise<number | undefined>;
  /** Opens a file to be written. */
  readonly open: OpenCacheFile;
  /** The present time in milliseconds since 1970. */
  readonly now: () => number;
}

/** Options of {@linkcode completeCache}. */
export interface CompleteCacheOptions extends ImageCacheOptions {
  /** The limit of pixels. */
  readonly maxPixels: number;
  /** Makes squares by means of decoders. */
  readonly squareMaker: (decoders: Decoders) => MakeSquare;
}

/** Says of a file which image it holds, or why it has none. */
export type LookUp = (state: FileState) => StoredImage | { readonly reason: string };

/**
 * Decodes what the cache does not know. Nothing is locked, and no file written, where it knows all.
 *
 * @param found The photographs' files.
 * @param options See {@linkcode CompleteCacheOptions}; `folder` is that of these squares.
 * @returns Looks an image up.
 * @throws {InputError} If the cache cannot be written for another reason than a full disk.
 */
export async function completeCache(found: readonly FoundFile[], options: CompleteCacheOptions): Promise<LookUp> {
  const { folder, cache = "auto" } = options;
  {
    const index = await readCacheIndex(folder);
    using squares = await openSquaresIfThere(folder, options.square);
    const unknown = unknownImages({ index, squares, store: cache === "auto", maxPixels: options.maxPixels });
    if (unknownFiles(found, index, unknown).length === 0) return lookUp(index);
  }
  const lock = await unlessFull(() => lockCache(folder, options));
  using _lock = lock;
  return await fill(found, { ...options, locked: lock !== undefined });
}

async function fill(
  found: readonly FoundFile[],
  options: CompleteCacheOptions & { readonly locked: boolean },
): Promise<LookUp> {
  const { folder, square, maxPixels, cache = "auto", locked, squareMaker, newDecoders } = options;
  const { onProgress, onNote, signal } = options;
  const disk = { freeBytes, open: openCacheFile, ...options.disk };
  // Another process may have filled it until now.
  const index = await readCacheIndex(folder);
  using squares = await openSquaresIfThere(folder, square);
  const toStore = unknownImages({ index, squares, store: cache === "auto", maxPixels });
  const needed = countImages(unknownFiles(found, index, toStore), index) * squareBytes(square);
  const noteFull = (free?: number) => onNote?.(fullDisk(folder, needed, free));

  const free = cache === "auto" && locked && needed > 0 ? await disk.freeBytes(folder) : undefined;
  const fits = locked && (free === undefined || needed <= free);
  const writer = locked
    ? await unlessFull(() => openCacheWriter({ folder, square, index, squares, open: disk.open }))
    : undefined;
  using _closing = { [Symbol.dispose]: () => writer?.close() };
  const store = cache === "auto" && fits && writer !== undefined;
  if (cache === "auto" && needed > 0 && !store) noteFull(fits ? undefined : free);

  const unknown = store ? toStore : unknownImages({ index, squares, store, maxPixels });
  const files = unknownFiles(found, index, unknown);
  using decoders = newDecoders();
  let done = found.length - files.length;
  const unread = await fillCache(files, {
    ...{ index, unknown, maxPixels, writer, store, signal },
    makeSquare: squareMaker(decoders),
    depth: decoders.count,
    onFull: noteFull,
    onImage: () => onProgress?.(++done, found.length),
  });
  return lookUp(index, unread);
}

function unknownFiles(found: readonly FoundFile[], index: CacheIndex, unknown: Unknown): UnknownFile[] {
  return found.flatMap(({ photograph: file, state }) => {
    if (state instanceof ImageError) return [];
    const content = index.contentOf(state);
    return content === undefined || unknown(content) ? [{ file, state }] : [];
  });
}

/** The most images that files can hold: those that are not read yet may be the same or stored already. */
function countImages(files: readonly UnknownFile[], index: CacheIndex): number {
  return new Set(files.map(({ state }) => index.contentOf(state) ?? fileKey(state))).size;
}

function lookUp(index: CacheIndex, unread: ReadonlyMap<string, string> = new Map()): LookUp {
  return (state) => {
    const reason = unread.get(fileKey(state));
    if (reason !== undefined) return { reason };
    const content = index.contentOf(state) ?? "";
    return index.image(content) ?? index.bad(content) ??
      { reason: "another file with the same bytes changed while it was read, start again" };
  };
}

async function unlessFull<T>(operation: () => Promise<T>): Promise<T | undefined> {
  try {
    return await operation();
  } catch (error) {
    if (isDiskFull(error)) return undefined;
    throw error;
  }
}

function fullDisk(folder: string, needed: number, free: number | undefined): string {
  const there = free === undefined ? "and the disk is full" : `and the disk has ${describeBytes(free)} left`;
  return `No cache of decoded images: it needs ${
    describeBytes(needed)
  } in '${folder}' ${there}; images are decoded in ` +
    "each epoch instead, which takes longer; free some space to change that";
}
