/**
 * A dataset on the disk.
 *
 * @module
 */

import { InputError } from "../input_error.ts";
import { type DatasetOptions, readDataset } from "./dataset.ts";
import { openImageCache } from "./image_cache.ts";
import { ImageDecoders } from "./image_decoders.ts";
import { shortSide } from "./recipe.ts";
import { limitPhotographs } from "./training_data.ts";
import type { TrainingSource } from "./training_run.ts";

/** Options of {@linkcode readSource}. */
export interface FileSourceOptions extends DatasetOptions {
  /** Where decoded images are kept. */
  readonly cacheFolder: string;
  /** The most photographs to use, drawn with the seed. */
  readonly maxImages?: number | undefined;
  /** Decides which. */
  readonly seed: number;
}

/**
 * Reads a dataset's captions; its images are decoded when the run opens them.
 *
 * @param options Where it is.
 * @returns The source.
 * @throws {InputError} If it cannot be read.
 */
export async function readSource(options: FileSourceOptions): Promise<TrainingSource> {
  const whole = await readDataset(options);
  const { maxImages } = options;
  if (maxImages !== undefined && maxImages < 1) throw new InputError("Cannot train on no image: --max-images is 0");
  const dataset = maxImages === undefined ? whole : limitPhotographs(whole, maxImages, options.seed);
  return {
    dataset,
    origin: {
      ...(options.data !== undefined && { data: options.data }),
      ...(options.captions !== undefined && { captions: options.captions }),
      ...(options.images !== undefined && { images: options.images }),
      ...(options.splits !== undefined && { splits: options.splits }),
      ...(maxImages !== undefined && { maxImages }),
    },
    async openImages({ engine, recipe, reporter, signal }) {
      using decoders = new ImageDecoders();
      return await openImageCache(dataset.photographs, {
        folder: options.cacheFolder,
        square: shortSide(recipe.imageSize),
        resizeCrop: (image, side, crop) => engine.resizeCrop(image, side, crop),
        decoders,
        signal,
        onProgress: (done, total) => reporter.progress("Decoding images", done, total),
      });
    },
  };
}
