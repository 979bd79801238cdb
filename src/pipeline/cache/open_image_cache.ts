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
import { removeOldTemporaries } from "../../files/old_temporaries.ts";
import { InputError } from "../../input_error.ts";
import type { BrokenImage, Decoders, ImageCache, ImageCacheOptions } from "./image_cache.ts";
import { completeCache } from "./complete_cache.ts";
import { findFiles } from "./find_files.ts";
import { type KnownImage, OpenImages } from "./open_images.ts";
import { preprocessingName } from "../../images/preprocessing.ts";
import { openSquaresIfThere, squareBytes } from "./squares_file.ts";
import type { MakeSquare } from "./unknown_images.ts";
import type { Photograph } from "../../data/dataset.ts";
import { DEFAULT_MAX_PIXELS } from "../../images/check_image.ts";
import type { RgbImage } from "../../images/rgb_image.ts";
import { ImageError } from "../../images/image_error.ts";
import { imagePath } from "../../images/image_file.ts";

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
