/**
 * Captions of image files.
 *
 * @module
 */

import type { Caption } from "../captioning/caption.ts";
import type { Captioner } from "../captioning/captioner.ts";
import type { RgbImage } from "../pipeline/decode_image.ts";
import { ImageError } from "../pipeline/image_error.ts";
import { readImage } from "../pipeline/read_image.ts";

/** Images captioned at a time. */
const BATCH = 16;

/** A file's caption. */
export interface FileCaption extends Caption {
  /** The file as the user named it. */
  readonly image: string;
}

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
  captioner: Pick<Captioner, "caption">,
  files: readonly string[],
  options: CaptionFilesOptions,
): Promise<{ captions: FileCaption[]; broken: string[] }> {
  const captions: FileCaption[] = [];
  const broken: string[] = [];
  for (let start = 0; start < files.length; start += BATCH) {
    const decoded: { readonly file: string; readonly image: RgbImage }[] = [];
    for (const file of files.slice(start, start + BATCH)) {
      try {
        decoded.push({ file, image: await readImage(options.path(file)) });
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        broken.push(error.message);
      }
    }
    if (decoded.length === 0) continue;
    const written = await captioner.caption(decoded.map(({ image }) => image), { beam: options.beam });
    written.forEach((caption, index) => captions.push({ image: decoded[index]?.file ?? "", ...caption }));
  }
  return { captions, broken };
}
