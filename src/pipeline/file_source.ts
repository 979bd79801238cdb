/**
 * A dataset on the disk.
 *
 * @module
 */

import { InputError } from "../input_error.ts";
import { type DatasetOptions, readDataset } from "../data/dataset.ts";
import { openImageCache } from "./cache/open_image_cache.ts";
import { ImageDecoders } from "../images/image_decoders.ts";
import { shortSide } from "./recipe.ts";
import { limitExamples } from "./training_data.ts";
import type { TrainingSource } from "./training_run.ts";

/** Options of {@linkcode readSource}. */
export interface FileSourceOptions extends DatasetOptions {
  /** Where decoded images are kept. */
  readonly cacheFolder: string;
  /** The most images to use, drawn with the seed. */
  readonly maxImages?: number | undefined;
  /**
   * The most pixels that an image may have.
   *
   * @default {50e6}
   */
  readonly maxPixels?: number | undefined;
  /**
   * Whether decoded images are kept, where the disk has room for them.
   *
   * @default {true}
   */
  readonly keepImages?: boolean | undefined;
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
  const { maxImages, maxPixels } = options;
  if (maxImages !== undefined && maxImages < 1) throw new InputError("Cannot train on no image: --max-images is 0");
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
        side: shortSide(recipe.imageSize),
        applyExif: recipe.applyExif,
        ...(maxPixels !== undefined && { maxPixels }),
        cache: options.keepImages ?? true ? "auto" : "none",
        resizeCrop: (image, side, crop) => engine.resizeCrop(image, side, crop),
        newDecoders: () => new ImageDecoders(),
        signal,
        onProgress: (done, total) => reporter.progress("Decoding images", done, total),
        onWait: () => reporter.note("Another process fills the image cache: waiting for it"),
        onNote: (line) => reporter.note(line),
      });
    },
  };
}
