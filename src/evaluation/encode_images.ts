/**
 * What a model's CNN sees in many photographs, each looked at once.
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

/** Options of {@linkcode encodePhotographs}. */
export interface EncodePhotographsOptions {
  /**
   * The most pixels that an image may have.
   *
   * @default {50e6}
   */
  readonly maxPixels?: number | undefined;
  /** Called as photographs are done. */
  readonly onProgress: (done: number, total: number) => void;
  /** Ends the work with its reason. */
  readonly signal: AbortSignal;
}

/** Photographs that could be decoded, and the others. */
export interface EncodedPhotographs<Photograph> {
  /** The photographs that could be decoded. */
  readonly photographs: readonly Photograph[];
  /** What the CNN sees in them, in their order. */
  readonly features: Features;
  /** Why others are not among them. */
  readonly problems: readonly string[];
}

const BATCH = 16;

/**
 * Decodes photographs and runs the CNN.
 *
 * @param captioner The model, one alone.
 * @param photographs The photographs.
 * @param options See {@linkcode EncodePhotographsOptions}.
 * @returns The features.
 * @throws {InputError} If none of them can be decoded.
 */
export async function encodePhotographs<Photograph extends ImageFile>(
  captioner: Pick<Captioner, "orientation" | "prepare" | "encode">,
  photographs: readonly Photograph[],
  options: EncodePhotographsOptions,
): Promise<EncodedPhotographs<Photograph>> {
  const { maxPixels, onProgress, signal } = options;
  const decoding = { orientation: captioner.orientation, ...(maxPixels !== undefined && { maxPixels }) };
  using decoders = new ImageDecoders();

  async function load(photograph: Photograph) {
    try {
      return {
        photograph,
        square: await decoders.decodeThen(photograph, (image) => captioner.prepare(image), decoding),
      };
    } catch (error) {
      if (error instanceof ImageError) return { problem: error.message };
      throw error;
    }
  }

  const kept: Photograph[] = [];
  const parts: Features[] = [];
  const problems: string[] = [];
  let squares: RgbImage[] = [];
  let done = 0;
  for await (const loaded of readAhead(load, photographs, BATCH)) {
    signal.throwIfAborted();
    if ("problem" in loaded) problems.push(loaded.problem);
    else {
      kept.push(loaded.photograph);
      squares.push(loaded.square);
    }
    if (squares.length === BATCH) parts.push(await captioner.encode(squares.splice(0)));
    onProgress(++done, photographs.length);
  }
  if (squares.length > 0) parts.push(await captioner.encode(squares));
  squares = [];
  if (parts.length === 0) {
    throw new InputError(`Cannot look at images: none of ${photographs.length} can be decoded: ${problems[0] ?? ""}`);
  }
  return { photographs: kept, features: concatenateFeatures(parts), problems };
}
