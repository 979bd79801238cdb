import type { Captioner } from "../captioning/captioner.ts";
import type { Features } from "../ffi/batch.ts";
import { InputError } from "../input_error.ts";
import { concatenateFeatures } from "../ffi/feature_rows.ts";
import type { RgbImage } from "../images/rgb_image.ts";
import { ImageDecoders } from "../images/image_decoders.ts";
import { ImageError } from "../images/image_error.ts";
import type { ImageFile } from "../images/image_file.ts";
import { readAhead } from "../read_ahead.ts";

/** Options of {@linkcode encodeImages}. */
export interface EncodeImagesOptions {
  /**
   * Largest number of pixels of an image.
   *
   * @default {50e6}
   */
  readonly maxPixels?: number | undefined;
  /** Called after each image. */
  readonly onProgress: (done: number, total: number) => void;
  /** Aborts with its reason. */
  readonly signal: AbortSignal;
}

/** Images that could be decoded, with their features. */
export interface EncodedImages<Example> {
  /** The images that could be decoded. */
  readonly images: readonly Example[];
  /** Their features, in their order. */
  readonly features: Features;
  /** Why the others could not be decoded. */
  readonly problems: readonly string[];
}

const BATCH = 16;

/**
 * Decodes images and computes their features.
 *
 * @param captioner A single model.
 * @throws {InputError} If no image can be decoded.
 */
export async function encodeImages<Example extends ImageFile>(
  captioner: Pick<Captioner, "decodeOptions" | "prepare" | "encode">,
  images: readonly Example[],
  options: EncodeImagesOptions,
): Promise<EncodedImages<Example>> {
  const { maxPixels, onProgress, signal } = options;
  const decoding = { ...captioner.decodeOptions, ...(maxPixels !== undefined && { maxPixels }) };
  using decoders = new ImageDecoders();

  async function load(image: Example) {
    try {
      return {
        image,
        resized: await decoders.decodeThen(image, (image) => captioner.prepare(image), decoding),
      };
    } catch (error) {
      if (error instanceof ImageError) return { problem: error.message };
      throw error;
    }
  }

  const kept: Example[] = [];
  const parts: Features[] = [];
  const problems: string[] = [];
  let resized: RgbImage[] = [];
  let done = 0;
  for await (const loaded of readAhead(load, images, BATCH)) {
    signal.throwIfAborted();
    if ("problem" in loaded) problems.push(loaded.problem);
    else {
      kept.push(loaded.image);
      resized.push(loaded.resized);
    }
    if (resized.length === BATCH) parts.push(await captioner.encode(resized.splice(0)));
    onProgress(++done, images.length);
  }
  if (resized.length > 0) parts.push(await captioner.encode(resized));
  resized = [];
  if (parts.length === 0) {
    throw new InputError(`Cannot encode images: none of ${images.length} can be decoded: ${problems[0] ?? ""}`);
  }
  return { images: kept, features: concatenateFeatures(parts), problems };
}
