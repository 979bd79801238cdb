import type { Captioner, PreparedImage } from "../captioning/captioner.ts";
import { preparedBatches } from "../captioning/prepared_batches.ts";
import type { Features } from "../ffi/batch.ts";
import { InputError } from "../input_error.ts";
import { concatenateFeatures } from "../ffi/feature_rows.ts";
import type { ImageFile } from "../images/image_file.ts";

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
  const kept: Example[] = [];
  const parts: Features[] = [];
  const problems: string[] = [];
  let done = 0;
  for await (const batch of preparedBatches(captioner, images, { maxPixels })) {
    signal.throwIfAborted();
    const prepared: PreparedImage[] = [];
    for (const one of batch) {
      if ("problem" in one) problems.push(one.problem);
      else {
        kept.push(one.item);
        prepared.push(one.image);
      }
    }
    if (prepared.length > 0) parts.push(await captioner.encode(prepared));
    for (const _ of batch) onProgress(++done, images.length);
  }
  if (parts.length === 0) {
    throw new InputError(`Cannot encode images: none of ${images.length} can be decoded: ${problems[0] ?? ""}`);
  }
  return { images: kept, features: concatenateFeatures(parts), problems };
}
