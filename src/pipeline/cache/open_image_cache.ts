// Images are identified by the digest of their bytes, so one that is renamed, copied or shared by several datasets is
// decoded once. Files are identified by size and time of change, so a second start reads none. Each preprocessing has a
// folder with a database, which stays until `deno task cache clear`.

import { join } from "node:path";
import type { Example } from "../../data/dataset.ts";
import { isDatabaseDamaged, isDatabaseFull, isDatabaseReadOnly } from "../../files/database.ts";
import { errorCode } from "../../files/file_error.ts";
import { describeBytes, freeBytes } from "../../files/free_space.ts";
import { sha256 } from "../../files/sha256.ts";
import { ImageError } from "../../images/image_error.ts";
import { imagePath } from "../../images/image_file.ts";
import { DEFAULT_MAX_PIXELS } from "../../images/image_limits.ts";
import { decodeOptions, preprocessingName, resizeImage } from "../../images/preprocessing.ts";
import type { RgbImage } from "../../images/rgb_image.ts";
import { InputError } from "../../input_error.ts";
import { lockFilling } from "./cache_lock.ts";
import { type KnownImage, OpenImages } from "./cached_images.ts";
import { CacheFiller, type CacheFillerOptions, type ResizeImage } from "./fill_cache.ts";
import type { BrokenImage, Decoders, ImageCache, ImageCacheOptions } from "./image_cache.ts";
import { findFiles, type FoundFile } from "./image_content.ts";
import { openImageStore, type OpenStore, removeImageStore, resizedBytes } from "./image_store.ts";

/**
 * Opens the cache of these examples' images, and decodes those it does not contain. One process fills a cache at a
 * time; the others wait for it.
 *
 * @param examples Examples whose images cannot be decoded are skipped and listed in `broken`.
 * @throws {InputError} If no image can be decoded, or the cache cannot be written for another reason than a full or
 * read-only disk.
 */
export async function openImageCache(
  examples: readonly Example[],
  options: ImageCacheOptions,
): Promise<ImageCache> {
  const { side, resize = "crop", decoding = { applyExif: true }, maxPixels = DEFAULT_MAX_PIXELS, engine } = options;
  const { newDecoders, signal, onNote } = options;
  signal?.throwIfAborted();
  if (examples.length === 0) throw new InputError("Cannot read images: there are no images");
  const preprocessing = preprocessingName({ ...decoding, side, resize });
  const folder = join(options.folder, preprocessing);
  const found = await findFiles(examples, { now: options.disk?.now ?? Date.now, signal });

  function imageResizer(decoders: Decoders): ResizeImage {
    return async (file) => {
      const scale = async (image: RgbImage) => {
        const { width, height } = image.original ?? image;
        const { pixels } = await resizeImage(engine, image, { shortSide: side, resize });
        return { width, height, pixels };
      };
      const resized = await decoders.decodeThen(file, scale, { ...decodeOptions(side, decoding), maxPixels });
      if (resized.pixels.length === resizedBytes(side)) return resized;
      throw new RangeError(`Cannot cache images: a resized image of side ${side} has ${resized.pixels.length} bytes`);
    };
  }

  using stack = new DisposableStack();
  const opened = await openImageStore(folder).catch(async (error) => {
    if (!isDatabaseDamaged(error)) throw error;
    await removeImageStore(folder);
    onNote?.(`The cache '${folder}' was damaged; its images are decoded again`);
    return await openImageStore(folder);
  }).catch(unlessFull);
  if (!(opened instanceof InputError)) stack.use(opened);
  const filled = await completeCache(found, opened, { ...options, folder, maxPixels, imageResizer });
  const images: KnownImage[] = [];
  const broken: BrokenImage[] = [];
  for (const { example, state } of found) {
    const image = state instanceof ImageError ? { reason: state.reason } : filled.imageOf(state);
    if ("reason" in image) broken.push({ path: imagePath(example), reason: image.reason });
    else if (!(state instanceof ImageError)) images.push({ example, state, content: image.content });
  }
  if (images.length === 0) {
    const [first] = broken;
    throw new InputError(
      `Cannot read images: none of ${examples.length} can be decoded, the first is '${first?.path}': ${first?.reason}`,
    );
  }
  const fingerprint = await sha256(JSON.stringify([preprocessing, ...images.map(({ content }) => content)]));
  const store = opened instanceof InputError ? undefined : opened.store;
  const closing = stack.move();
  return new OpenImages(images, {
    ...{ side, preprocessing, fingerprint, broken, store, newDecoders, imageResizer, onNote },
    close: () => closing.dispose(),
  });
}

interface CompleteCacheOptions extends ImageCacheOptions {
  /** The folder of this preprocessing. */
  readonly folder: string;
  readonly maxPixels: number;
  /** Builds a {@linkcode ResizeImage} from decoders. */
  readonly imageResizer: (decoders: Decoders) => ResizeImage;
}

/** Decodes every image that the cache does not know. If it knows all, nothing is locked or written. */
async function completeCache(
  found: readonly FoundFile[],
  opened: OpenStore | InputError,
  options: CompleteCacheOptions,
): Promise<CacheFiller> {
  const { folder, side, maxPixels, cache = "auto", disk = {}, imageResizer, newDecoders, onNote, onProgress } = options;
  const { freeBytes: free = freeBytes, reserve = RESERVE } = disk;
  const { store, readOnly } = opened instanceof InputError ? { store: undefined, readOnly: opened } : opened;
  const known: CacheFillerOptions = {
    ...{ store, side, maxPixels, storePixels: cache === "auto" },
    writable: readOnly === undefined,
  };
  const complete = new CacheFiller(known);
  if (complete.unknownFiles(found).length === 0) return complete;

  using _lock = readOnly === undefined ? await lockFilling(folder, options) : undefined;
  // Another process may have filled it meanwhile.
  const unknown = complete.unknownFiles(found);
  const needed = complete.bytesOf(unknown);
  const left = async () => readOnly === undefined ? await free(folder) ?? Infinity : Infinity;
  const room = cache === "auto" && needed > 0 ? await left() : Infinity;
  const storePixels = cache === "auto" && readOnly === undefined && needed + reserve <= room;
  const noteFull = (room: number) => onNote?.(fullDisk(folder, needed, room, reserve));
  if (cache === "auto" && needed > 0 && !storePixels) {
    if (readOnly !== undefined && !isDiskFull(readOnly)) {
      onNote?.(`No cache of decoded images: ${readOnly.message}; ${CONSEQUENCE}`);
    } else noteFull(room);
  }
  const filler = storePixels ? complete : new CacheFiller({ ...known, storePixels });
  const files = storePixels ? unknown : filler.unknownFiles(found);
  using decoders = newDecoders();
  let done = found.length - files.length;
  await filler.fill(files, {
    resizeImage: imageResizer(decoders),
    depth: decoders.count,
    hasRoom: async (bytes) => bytes + reserve <= await left(),
    onFull: async () => noteFull(await left()),
    onImage: () => onProgress?.(++done, found.length),
    signal: options.signal,
  });
  return filler;
}

/** Two checkpoints of a ResNet-50 captioner with their moments, one of them twice, and features of 100,000 images. */
const RESERVE = 2e9;
const CONSEQUENCE = "images are decoded in each epoch instead, which takes longer";

function fullDisk(folder: string, needed: number, free: number, reserve: number): string {
  const there = free === Infinity ? "and the disk is full" : `and the disk has ${describeBytes(free)} left`;
  const rest = free < Infinity && needed <= free ? `, of which ${describeBytes(reserve)} are kept for the run` : "";
  return `No cache of decoded images: it needs ${describeBytes(needed)} in '${folder}' ${there}${rest}; ` +
    `${CONSEQUENCE}; free some space to change that, for example by: deno task cache clear`;
}

function unlessFull(error: unknown): InputError {
  if (error instanceof InputError && (isDiskFull(error) || isReadOnly(error))) return error;
  throw error;
}

function isDiskFull(error: InputError): boolean {
  return isDatabaseFull(error) || ["ENOSPC", "EDQUOT", "EFBIG"].includes(errorCode(error.cause));
}

function isReadOnly(error: InputError): boolean {
  return isDatabaseReadOnly(error) || ["EROFS", "EACCES", "EPERM"].includes(errorCode(error.cause));
}
