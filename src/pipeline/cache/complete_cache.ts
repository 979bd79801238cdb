import { tooManyPixels } from "../../images/image_limits.ts";
import { ImageError } from "../../images/image_error.ts";
import type { Decoders, ImageCacheOptions } from "./image_cache.ts";
import { type CacheIndex, readCacheIndex, type StoredImage } from "./cache_index.ts";
import { lockCache } from "./cache_lock.ts";
import { isDiskFull, isReadOnly, openCacheFile, openCacheWriter } from "./cache_writer.ts";
import { fillCache, type UnknownFile } from "./fill_cache.ts";
import type { FoundFile } from "./find_files.ts";
import { describeBytes, freeBytes } from "../../files/free_space.ts";
import { fileKey, type FileState } from "./image_content.ts";
import { openResizedFileIfThere, resizedBytes } from "./resized_file.ts";
import { type ResizeImage, type Unknown, unknownImages } from "./unknown_images.ts";

export interface CompleteCacheOptions extends ImageCacheOptions {
  readonly maxPixels: number;
  /** Builds a {@linkcode ResizeImage} from decoders. */
  readonly imageResizer: (decoders: Decoders) => ResizeImage;
}

/** Returns the image in a file, or the reason there is none. */
export type Lookup = (state: FileState) => StoredImage | { readonly reason: string };

/**
 * Completes a cache: decodes every image that it does not know. If it knows all, nothing is locked or written.
 *
 * @param options `folder` is the folder of this preprocessing.
 * @throws {InputError} If the cache cannot be written for another reason than a full or read-only disk.
 */
export async function completeCache(found: readonly FoundFile[], options: CompleteCacheOptions): Promise<Lookup> {
  const { folder, cache = "auto" } = options;
  {
    const index = await readCacheIndex(folder);
    using resized = await openResizedFileIfThere(folder, options.side);
    const unknown = unknownImages({ index, resized, store: cache === "auto", maxPixels: options.maxPixels });
    if (unknownFiles(found, index, unknown).length === 0) return lookup(index, options);
  }
  const lock = await unlessRefused(() => lockCache(folder, options));
  using _lock = lock instanceof Error ? undefined : lock;
  return await fill(found, { ...options, refusal: lock instanceof Error ? lock : undefined });
}

async function fill(
  found: readonly FoundFile[],
  options: CompleteCacheOptions & { readonly refusal: Error | undefined },
): Promise<Lookup> {
  const { folder, side, maxPixels, cache = "auto", refusal, imageResizer, newDecoders } = options;
  const { onProgress, onNote, signal } = options;
  const disk = { freeBytes, open: openCacheFile, reserve: RESERVE, ...options.disk };
  // Another process may have filled it meanwhile.
  const index = await readCacheIndex(folder);
  using resized = await openResizedFileIfThere(folder, side);
  const toStore = unknownImages({ index, resized, store: cache === "auto", maxPixels });
  const needed = countImages(unknownFiles(found, index, toStore), index) * resizedBytes(side);
  const noteFull = (free?: number) => onNote?.(fullDisk(folder, needed, { free, reserve: disk.reserve }));

  const free = cache === "auto" && refusal === undefined && needed > 0 ? await disk.freeBytes(folder) : undefined;
  const fits = free === undefined || needed + disk.reserve <= free;
  const opened = refusal ??
    await unlessRefused(() => openCacheWriter({ folder, side, index, resized, open: disk.open }));
  const writer = opened instanceof Error ? undefined : opened;
  using _closing = { [Symbol.dispose]: () => writer?.close() };
  const store = cache === "auto" && fits && writer !== undefined;
  if (cache === "auto" && needed > 0 && !store) {
    if (opened instanceof Error && isReadOnly(opened)) {
      onNote?.(`No cache of decoded images: ${opened.message}; ${CONSEQUENCE}`);
    } else noteFull(fits ? undefined : free);
  }

  const unknown = store ? toStore : unknownImages({ index, resized, store, maxPixels });
  const files = unknownFiles(found, index, unknown);
  using decoders = newDecoders();
  let done = found.length - files.length;
  const unread = await fillCache(files, {
    index,
    unknown,
    maxPixels,
    writer,
    store,
    signal,
    resizeImage: imageResizer(decoders),
    depth: decoders.count,
    onFull: noteFull,
    onImage: () => onProgress?.(++done, found.length),
  });
  return lookup(index, { maxPixels, unread });
}

function unknownFiles(found: readonly FoundFile[], index: CacheIndex, unknown: Unknown): UnknownFile[] {
  return found.flatMap(({ example: file, state }) => {
    if (state instanceof ImageError) return [];
    const content = index.contentOf(state);
    return content === undefined || unknown(content) ? [{ file, state }] : [];
  });
}

/** The maximum number of images in files: unread files may contain duplicates or stored images. */
function countImages(files: readonly UnknownFile[], index: CacheIndex): number {
  return new Set(files.map(({ state }) => index.contentOf(state) ?? fileKey(state))).size;
}

function lookup(
  index: CacheIndex,
  { maxPixels, unread }: { readonly maxPixels: number; readonly unread?: ReadonlyMap<string, string> },
): Lookup {
  return (state) => {
    const content = index.contentOf(state) ?? "";
    const image = index.image(content);
    const reason = unread?.get(fileKey(state)) ?? (image && tooManyPixels(image, maxPixels));
    if (reason !== undefined) return { reason };
    return image ?? index.bad(content) ??
      { reason: "another file with the same bytes changed while it was read, start again" };
  };
}

/** Returns the error if the disk is full or read-only: training can continue without a cache. */
async function unlessRefused<T>(operation: () => Promise<T>): Promise<T | Error> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof Error && (isDiskFull(error) || isReadOnly(error))) return error;
    throw error;
  }
}

/** Two checkpoints of a ResNet-50 captioner with their moments, one of them twice, and features of 100,000 images. */
const RESERVE = 2e9;
const CONSEQUENCE = "images are decoded in each epoch instead, which takes longer";

function fullDisk(
  folder: string,
  needed: number,
  { free, reserve }: { readonly free: number | undefined; readonly reserve: number },
): string {
  const there = free === undefined ? "and the disk is full" : `and the disk has ${describeBytes(free)} left`;
  const rest = free !== undefined && needed <= free ? `, of which ${describeBytes(reserve)} are kept for the run` : "";
  return `No cache of decoded images: it needs ${
    describeBytes(needed)
  } in '${folder}' ${there}${rest}; ${CONSEQUENCE}; ` +
    "free some space to change that, for example by: deno task cache clear";
}
