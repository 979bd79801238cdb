/**
 * The images of datasets, decoded and scaled once: squares of 8-bit pixels, one folder for each way of making them.
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
import { openResizedFileIfThere, resizedBytes } from "./resized_file.ts";
import type { ResizeImage } from "./unknown_images.ts";
import type { Example } from "../../data/dataset.ts";
import { DEFAULT_MAX_PIXELS } from "../../images/check_image.ts";
import type { RgbImage } from "../../images/rgb_image.ts";
import { ImageError } from "../../images/image_error.ts";
import { imagePath } from "../../images/image_file.ts";

/**
 * Opens the cache of these images, and decodes those that it does not hold. One process fills a cache at a time, the
 * others wait for it.
 *
 * @param images The images; those that cannot be decoded are left out and listed in `broken`.
 * @param options See {@linkcode ImageCacheOptions}.
 * @returns The open cache.
 * @throws {InputError} If no image can be decoded, or the cache cannot be written for another reason than a full disk.
 */
export async function openImageCache(
  examples: readonly Example[],
  options: ImageCacheOptions,
): Promise<ImageCache> {
  const { side, applyExif = true, maxPixels = DEFAULT_MAX_PIXELS, resizeCrop, newDecoders, signal, onNote } = options;
  signal?.throwIfAborted();
  if (examples.length === 0) throw new InputError("Cannot read images: there are no images");
  // A folder that cannot be cleaned may still be read.
  await removeOldTemporaries(options.folder).catch(unlessInputError);
  const name = preprocessingName({ side, applyExif });
  const folder = join(options.folder, name);
  const found = await findFiles(examples, { now: options.disk?.now ?? Date.now, signal });

  function imageResizer(decoders: Decoders): ResizeImage {
    return async (file) => {
      const scale = async (image: RgbImage) => {
        const { width, height } = image;
        return { width, height, pixels: await resizeCrop(image, side, side) };
      };
      const made = await decoders.decodeThen(file, scale, { maxPixels, applyExif });
      if (made.pixels.length === resizedBytes(side)) return made;
      throw new RangeError(`Cannot cache images: a side of ${side} has ${made.pixels.length} bytes`);
    };
  }

  const look = await completeCache(found, { ...options, folder, maxPixels, imageResizer });
  const images: KnownImage[] = [];
  const broken: BrokenImage[] = [];
  for (const { example, state } of found) {
    const image = state instanceof ImageError ? { reason: state.reason } : look(state);
    if ("reason" in image) broken.push({ path: imagePath(example), reason: image.reason });
    else if (!(state instanceof ImageError)) images.push({ example, state, image });
  }
  if (images.length === 0) {
    const [first] = broken;
    throw new InputError(
      `Cannot read images: none of ${examples.length} can be decoded, the first is '${first?.path}': ${first?.reason}`,
    );
  }
  const fingerprint = await digest([name, ...images.map(({ image }) => image.content)]);
  const resized = await openResizedFileIfThere(folder, side);
  return new OpenImages(images, { side, fingerprint, broken, resized, newDecoders, imageResizer, onNote });
}

function unlessInputError(error: unknown): void {
  if (!(error instanceof InputError)) throw error;
}

async function digest(parts: readonly string[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(parts));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
