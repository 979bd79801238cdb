/**
 * What a model's CNN sees in many images, each looked at once.
 *
 * @module
 */

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
   * The most pixels that an image may have.
   *
   * @default {50e6}
   */
  readonly maxPixels?: number | undefined;
  /** Called as images are done. */
  readonly onProgress: (done: number, total: number) => void;
  /** Ends the work with its reason. */
  readonly signal: AbortSignal;
}

/** Images that could be decoded, and the others. */
export interface EncodedImages<Example> {
  /** The images that could be decoded. */
  readonly images: readonly Example[];
  /** What the CNN sees in them, in their order. */
  readonly features: Features;
  /** Why others are not among them. */
  readonly problems: readonly string[];
}

const BATCH = 16;

/**
 * Decodes images and runs the CNN.
 *
 * @param captioner The model, one alone.
 * @param images The images.
 * @param options See {@linkcode EncodeImagesOptions}.
 * @returns The features.
 * @throws {InputError} If none of them can be decoded.
 */
export async function encodeImages<Example extends ImageFile>(
  captioner: Pick<Captioner, "applyExif" | "prepare" | "encode">,
  images: readonly Example[],
  options: EncodeImagesOptions,
): Promise<EncodedImages<Example>> {
  const { maxPixels, onProgress, signal } = options;
  const decoding = { applyExif: captioner.applyExif, ...(maxPixels !== undefined && { maxPixels }) };
  using decoders = new ImageDecoders();

  async function load(image: Example) {
    try {
      return {
        image,
        square: await decoders.decodeThen(image, (image) => captioner.prepare(image), decoding),
      };
    } catch (error) {
      if (error instanceof ImageError) return { problem: error.message };
      throw error;
    }
  }

  const kept: Example[] = [];
  const parts: Features[] = [];
  const problems: string[] = [];
  let squares: RgbImage[] = [];
  let done = 0;
  for await (const loaded of readAhead(load, images, BATCH)) {
    signal.throwIfAborted();
    if ("problem" in loaded) problems.push(loaded.problem);
    else {
      kept.push(loaded.image);
      squares.push(loaded.square);
    }
    if (squares.length === BATCH) parts.push(await captioner.encode(squares.splice(0)));
    onProgress(++done, images.length);
  }
  if (squares.length > 0) parts.push(await captioner.encode(squares));
  squares = [];
  if (parts.length === 0) {
    throw new InputError(`Cannot look at images: none of ${images.length} can be decoded: ${problems[0] ?? ""}`);
  }
  return { images: kept, features: concatenateFeatures(parts), problems };
}
