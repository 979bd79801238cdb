/**
 * Captions of image files.
 *
 * @module
 */

import type { Caption } from "../captioning/caption.ts";
import type { Captioner } from "../captioning/captioner.ts";
import type { RgbImage } from "../pipeline/images/decode_image.ts";
import { ImageDecoders } from "../pipeline/images/image_decoders.ts";
import { ImageError } from "../pipeline/images/image_error.ts";
import { readAhead } from "../pipeline/read_ahead.ts";

/** Images captioned at a time. */
const BATCH = 16;

/** A file's caption. */
export interface FileCaption extends Caption {
  /** The file as the user named it. */
  readonly image: string;
}

type Prepared = { readonly file: string; readonly image: RgbImage } | {
  readonly file: string;
  readonly reason: string;
};

/** Options of {@linkcode captionFiles}. */
export interface CaptionFilesOptions {
  /** Makes a user's path absolute. */
  readonly path: (path: string) => string;
  /**
   * Captions pursued for each image.
   *
   * @default {the checkpoint's}
   */
  readonly beam?: number | undefined;
  /**
   * The most pixels that an image may have.
   *
   * @default {50e6}
   */
  readonly maxPixels?: number | undefined;
}

/**
 * Captions files, in their order. Those that cannot be decoded are passed over.
 *
 * @param captioner The model.
 * @param files The files as the user named them.
 * @param options See {@linkcode CaptionFilesOptions}.
 * @returns The captions, and a message for each file that cannot be decoded.
 */
export async function captionFiles(
  captioner: Pick<Captioner, "caption" | "orientation" | "prepare">,
  files: readonly string[],
  options: CaptionFilesOptions,
): Promise<{ captions: FileCaption[]; broken: string[] }> {
  const { path, beam, maxPixels } = options;
  const { orientation } = captioner;
  using decoders = new ImageDecoders();

  async function load(file: string): Promise<Prepared> {
    try {
      const decoding = { orientation, ...(maxPixels !== undefined && { maxPixels }) };
      const image = await decoders.decodeThen({ path: path(file) }, (image) => captioner.prepare(image), decoding);
      return { file, image };
    } catch (error) {
      if (error instanceof ImageError) return { file, reason: error.message };
      throw error;
    }
  }

  const captions: FileCaption[] = [];
  const broken: string[] = [];
  const batch: { readonly file: string; readonly image: RgbImage }[] = [];

  async function captionBatch(): Promise<void> {
    const ready = batch.splice(0);
    if (ready.length === 0) return;
    const written = await captioner.caption(ready.map(({ image }) => image), { beam });
    written.forEach((caption, index) => captions.push({ image: ready[index]?.file ?? "", ...caption }));
  }

  for await (const prepared of readAhead(load, files, decoders.count)) {
    if ("reason" in prepared) broken.push(prepared.reason);
    else batch.push(prepared);
    if (batch.length === BATCH) await captionBatch();
  }
  await captionBatch();
  return { captions, broken };
}
