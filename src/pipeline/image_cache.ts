/**
 * The photographs of datasets, decoded and scaled once: squares of 8-bit pixels, one folder for each way of making them.
 *
 * An image is known by the digest of its bytes, so one that is renamed, copied or used by several datasets is decoded once;
 * a file is known by its size and time of change, so that a second start reads none. What a cache holds stays until
 * `deno task cache clear`.
 *
 * @module
 */

import { join } from "node:path";
import { removeOldTemporaries } from "../files/old_temporaries.ts";
import { InputError } from "../input_error.ts";
import { type CacheDisk, completeCache } from "./cache/complete_cache.ts";
import { findFiles } from "./cache/find_files.ts";
import { type KnownImage, OpenImages } from "./cache/open_images.ts";
import { preprocessingName } from "../images/preprocessing.ts";
import { openSquaresIfThere, squareBytes } from "./cache/squares_file.ts";
import type { MakeSquare } from "./cache/unknown_images.ts";
import type { Photograph } from "../data/dataset.ts";
import { DEFAULT_MAX_PIXELS } from "../images/check_image.ts";
import type { RgbImage } from "../images/decode_image.ts";
import { ImageError } from "../images/image_error.ts";
import { type ImageFile, imagePath } from "../images/image_file.ts";

/** Decodes image files, several at once, as `ImageDecoders` does. */
export interface Decoders extends Disposable {
  /** The most images decoded at once. */
  readonly count: number;
  /** Reads and decodes an image file, and hands it on; throws an {@linkcode ImageError} where it cannot. */
  decodeThen<Result>(
    file: ImageFile,
    use: (image: RgbImage) => Promise<Result>,
    options: { readonly maxPixels: number; readonly orientation: "obeyed" | "ignored" },
  ): Promise<Result>;
}

/** Options of {@linkcode openImageCache}. */
export interface ImageCacheOptions {
  /** Where caches are kept; made if it is missing. */
  folder: string;
  /** Side of the squares in pixels. */
  square: number;
  /**
   * Whether the orientation that a camera noted is applied.
   *
   * @default {"obeyed"}
   */
  orientation?: "obeyed" | "ignored";
  /**
   * The most pixels that an image may have. One that is in the cache already keeps its square, and is left out as long as
   * the limit is below its size.
   *
   * @default {50e6}
   */
  maxPixels?: number;
  /**
   * Whether squares are kept: `auto` where the disk has room for them, `none` never. Without, each read decodes the image
   * anew, to the same pixels; what is found out about the images is kept all the same.
   *
   * @default {"auto"}
   */
  cache?: "auto" | "none";
  /** Scales an image until its short side has `shortSide` pixels, and cuts the centre `crop` x `crop` x 3 out of it. */
  resizeCrop: (image: RgbImage, shortSide: number, crop: number) => Promise<Uint8Array>;
  /** Starts decoders. They are disposed with the cache or before. */
  newDecoders: () => Decoders;
  /**
   * Called after each photograph while the cache is filled; not called where all is there already.
   *
   * @default {undefined}
   */
  onProgress?: (done: number, total: number) => void;
  /**
   * Called once where another process fills the cache, which is waited for.
   *
   * @default {undefined}
   */
  onWait?: () => void;
  /**
   * Takes a line for the user: the disk has no room, a stored square is damaged.
   *
   * @default {undefined}
   */
  onNote?: (line: string) => void;
  /**
   * Ends the filling of the cache. What was decoded until then is kept.
   *
   * @default {undefined}
   */
  signal?: AbortSignal;
  /**
   * The disk: what it has left, the opening of a file to be written, and its clock.
   *
   * @default {the system's}
   */
  disk?: Partial<CacheDisk>;
}

/** A photograph that is missing or cannot be decoded. */
export interface BrokenImage {
  /** Its path. */
  readonly path: string;
  /** What is wrong with it. */
  readonly reason: string;
}

/** An open cache: close it with `using`, after the last read has ended. */
export interface ImageCache extends Disposable {
  /** Side of the squares in pixels. */
  readonly square: number;
  /** A digest of the photographs' bytes, and of how their pixels are made; the same whether they are stored or not. */
  readonly fingerprint: string;
  /** The photographs that have pixels, in the order they were given. */
  readonly photographs: readonly Photograph[];
  /** SHA-256 of each photograph's bytes, in the same order: duplicates have the same. */
  readonly contents: readonly string[];
  /** The photographs that were left out. */
  readonly broken: readonly BrokenImage[];
  /**
   * Reads the centre of a photograph's square. Where that is off the middle by half a pixel, it begins at the even row
   * and column, as torchvision's CenterCrop does. Reads may be asked for at the same time.
   *
   * @param index Its index in `photographs`.
   * @param side Side of the centre in pixels; all of the square at the most.
   * @param into Filled: side x side x 3.
   * @throws {RangeError} If one of the arguments is out of range.
   * @throws {ImageError} If the image is not stored whole, and its file is no longer as it was or cannot be read; the user
   * was told that it is left out.
   */
  read(index: number, side: number, into: Uint8Array): Promise<void>;
}

/**
 * Opens the cache of these photographs, and decodes those that it does not hold. One process fills a cache at a time, the
 * others wait for it.
 *
 * @param photographs The photographs; those that cannot be decoded are left out and listed in `broken`.
 * @param options See {@linkcode ImageCacheOptions}.
 * @returns The open cache.
 * @throws {InputError} If no photograph can be decoded, or the cache cannot be written for another reason than a full disk.
 */
export async function openImageCache(
  photographs: readonly Photograph[],
  options: ImageCacheOptions,
): Promise<ImageCache> {
  const { square, orientation = "obeyed", maxPixels = DEFAULT_MAX_PIXELS, resizeCrop, newDecoders, signal, onNote } =
    options;
  signal?.throwIfAborted();
  if (photographs.length === 0) throw new InputError("Cannot read images: there are no photographs");
  // A folder that cannot be cleaned may still be read.
  await removeOldTemporaries(options.folder).catch(unlessInputError);
  const name = preprocessingName({ square, orientation });
  const folder = join(options.folder, name);
  const found = await findFiles(photographs, { now: options.disk?.now ?? Date.now, signal });

  function squareMaker(decoders: Decoders): MakeSquare {
    return async (file) => {
      const scale = async (image: RgbImage) => {
        const { width, height } = image;
        return { width, height, pixels: await resizeCrop(image, square, square) };
      };
      const made = await decoders.decodeThen(file, scale, { maxPixels, orientation });
      if (made.pixels.length === squareBytes(square)) return made;
      throw new RangeError(`Cannot cache images: a square of ${square} has ${made.pixels.length} bytes`);
    };
  }

  const look = await completeCache(found, { ...options, folder, maxPixels, squareMaker });
  const images: KnownImage[] = [];
  const broken: BrokenImage[] = [];
  for (const { photograph, state } of found) {
    const image = state instanceof ImageError ? { reason: state.reason } : look(state);
    if ("reason" in image) broken.push({ path: imagePath(photograph), reason: image.reason });
    else if (!(state instanceof ImageError)) images.push({ photograph, state, image });
  }
  if (images.length === 0) {
    const [first] = broken;
    throw new InputError(
      `Cannot read images: none of ${photographs.length} can be decoded, the first is '${first?.path}': ${first?.reason}`,
    );
  }
  const fingerprint = await digest([name, ...images.map(({ image }) => image.content)]);
  const squares = await openSquaresIfThere(folder, square);
  return new OpenImages(images, { square, fingerprint, broken, squares, newDecoders, squareMaker, onNote });
}

function unlessInputError(error: unknown): void {
  if (!(error instanceof InputError)) throw error;
}

async function digest(parts: readonly string[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(parts));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
