/**
 * A dataset on the disk.
 *
 * @module
 */

import { InputError } from "../input_error.ts";
import { type DatasetOptions, readDataset } from "../data/dataset.ts";
import { openImageCache } from "./cache/open_image_cache.ts";
import { ImageDecoders } from "../images/image_decoders.ts";
import { needsOnlyFeatures, sideBeforeCrop } from "./recipe.ts";
import { limitExamples } from "./training_data.ts";
import type { TrainingSource } from "./training_source.ts";

/** Options of {@linkcode readSource}. */
export interface FileSourceOptions extends DatasetOptions {
  /** The folder of the image cache. */
  readonly cacheFolder: string;
  /** Use at most this many images, chosen at random. */
  readonly maxImages?: number | undefined;
  /**
   * Skip images with more pixels.
   *
   * @default {50e6}
   */
  readonly maxPixels?: number | undefined;
  /**
   * Whether decoded images are cached, as far as the disk has room.
   *
   * @default {true}
   */
  readonly keepImages?: boolean | undefined;
  /** Decides which images are used. */
  readonly seed: number;
}

/**
 * Reads a dataset's captions. Its images are decoded when a run opens them.
 *
 * @throws {InputError} If the dataset cannot be read.
 */
export async function readSource(options: FileSourceOptions): Promise<TrainingSource> {
  const whole = await readDataset(options);
  const { maxImages, maxPixels } = options;
  if (maxImages !== undefined && maxImages < 1) throw new InputError("Cannot train without images: --max-images is 0");
  const dataset = maxImages === undefined ? whole : limitExamples(whole, maxImages, options.seed);
  return {
    dataset,
    origin: {
      ...(options.data !== undefined && { data: options.data }),
      ...(options.captions !== undefined && { captions: options.captions }),
      ...(options.images !== undefined && { images: options.images }),
      ...(options.splits !== undefined && { splits: options.splits }),
      ...(options.format !== undefined && { format: options.format }),
      ...(options.strict === true && { strict: true }),
      ...(maxImages !== undefined && { maxImages }),
      ...(maxPixels !== undefined && { maxPixels }),
    },
    async openImages({ engine, recipe, reporter, signal }) {
      return await openImageCache(dataset.examples, {
        folder: options.cacheFolder,
        side: sideBeforeCrop(recipe),
        resize: recipe.resize,
        decoding: recipe,
        ...(maxPixels !== undefined && { maxPixels }),
        cache: (options.keepImages ?? true) && !needsOnlyFeatures(recipe) ? "auto" : "none",
        engine,
        newDecoders: () => new ImageDecoders(),
        signal,
        onProgress: (done, total) => reporter.progress("Decoding images", done, total),
        onWait: () => reporter.note("Waiting for another process that fills the image cache"),
        onNote: (line) => reporter.warn(line),
      });
    },
  };
}
