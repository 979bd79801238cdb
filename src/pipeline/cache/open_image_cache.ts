// Images are identified by the digest of their bytes, so one that is renamed, copied or shared by several datasets is
// decoded once. Files are identified by size and time of change, so a second start reads none. Each preprocessing has a
// folder, which stays until `deno task cache clear`.

import { join } from "node:path";
import { removeOldTemporaries } from "../../files/old_temporaries.ts";
import { sha256 } from "../../files/sha256.ts";
import { InputError } from "../../input_error.ts";
import type { BrokenImage, Decoders, ImageCache, ImageCacheOptions } from "./image_cache.ts";
import { completeCache } from "./complete_cache.ts";
import { findFiles } from "./find_files.ts";
import { type KnownImage, OpenImages } from "./cached_images.ts";
import { decodeOptions, preprocessingName } from "../../images/preprocessing.ts";
import { openResizedFileIfThere, resizedBytes } from "./resized_file.ts";
import type { ResizeImage } from "./unknown_images.ts";
import type { Example } from "../../data/dataset.ts";
import { DEFAULT_MAX_PIXELS } from "../../images/image_limits.ts";
import type { RgbImage } from "../../images/rgb_image.ts";
import { ImageError } from "../../images/image_error.ts";
import { imagePath } from "../../images/image_file.ts";

/**
 * Opens the cache of these examples' images, and decodes those it does not contain. One process fills a cache at a
 * time; the others wait for it.
 *
 * @param examples Examples whose images cannot be decoded are skipped and listed in `broken`.
 * @throws {InputError} If no image can be decoded, or the cache cannot be written for another reason than a full disk.
 */
export async function openImageCache(
  examples: readonly Example[],
  options: ImageCacheOptions,
): Promise<ImageCache> {
  const { side, resize = "crop", decoding = { applyExif: true }, maxPixels = DEFAULT_MAX_PIXELS, resizeCrop } = options;
  const { newDecoders, signal, onNote } = options;
  signal?.throwIfAborted();
  if (examples.length === 0) throw new InputError("Cannot read images: there are no images");
  // A folder that cannot be cleaned may still be readable.
  await removeOldTemporaries(options.folder).catch(unlessInputError);
  const name = preprocessingName({ ...decoding, side, resize });
  const folder = join(options.folder, name);
  const found = await findFiles(examples, { now: options.disk?.now ?? Date.now, signal });

  function imageResizer(decoders: Decoders): ResizeImage {
    return async (file) => {
      const scale = async (image: RgbImage) => {
        const { width, height } = image.original ?? image;
        return { width, height, pixels: await resizeCrop(image, side, side, resize) };
      };
      const resized = await decoders.decodeThen(file, scale, { ...decodeOptions(side, decoding), maxPixels });
      if (resized.pixels.length === resizedBytes(side)) return resized;
      throw new RangeError(`Cannot cache images: a resized image of side ${side} has ${resized.pixels.length} bytes`);
    };
  }

  const lookup = await completeCache(found, { ...options, folder, maxPixels, imageResizer });
  const images: KnownImage[] = [];
  const broken: BrokenImage[] = [];
  for (const { example, state } of found) {
    const image = state instanceof ImageError ? { reason: state.reason } : lookup(state);
    if ("reason" in image) broken.push({ path: imagePath(example), reason: image.reason });
    else if (!(state instanceof ImageError)) images.push({ example, state, image });
  }
  if (images.length === 0) {
    const [first] = broken;
    throw new InputError(
      `Cannot read images: none of ${examples.length} can be decoded, the first is '${first?.path}': ${first?.reason}`,
    );
  }
  const fingerprint = await sha256(JSON.stringify([name, ...images.map(({ image }) => image.content)]));
  const resized = await openResizedFileIfThere(folder, side);
  return new OpenImages(images, { side, fingerprint, broken, resized, newDecoders, imageResizer, onNote });
}

function unlessInputError(error: unknown): void {
  if (!(error instanceof InputError)) throw error;
}
