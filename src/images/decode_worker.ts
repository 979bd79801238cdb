/**
 * The Worker that decodes images, and reads those in files, for {@linkcode ImageDecoders}: for each {@linkcode DecodeRequest} that
 * comes in, one {@linkcode DecodeAnswer} goes out, in the same order.
 *
 * @module
 */

import type { DecodeImageOptions, RgbImage } from "./rgb_image.ts";
import { ImageError } from "./image_error.ts";
import type { ImageBytes, ImageFile } from "./image_file.ts";
import { decodeBytesWithin, readImageWithin } from "./read_image.ts";

/** What to decode. */
export interface DecodeRequest {
  /** Where the image lies, or the image itself. */
  readonly file: ImageFile | ImageBytes;
  /** How to decode it. */
  readonly options: DecodeImageOptions;
  /** Bytes that may be used for it. */
  readonly memory: number;
}

/** The picture, whose pixels are moved and not copied; or the bytes of memory it needs; or what is wrong with the file. */
export type DecodeAnswer = { readonly image: RgbImage } | { readonly memory: number } | { readonly reason: string };

// The types that Deno checks with are those of its main thread, where nothing can be posted.
const worker = globalThis as unknown as { postMessage(answer: DecodeAnswer, transfer: Transferable[]): void };

addEventListener("message", async (event) => {
  const { file, options, memory }: DecodeRequest = (event as MessageEvent).data;
  try {
    const within = { ...options, memory };
    const result = "bytes" in file ? await decodeBytesWithin(file.bytes, within) : await readImageWithin(file, within);
    if (typeof result === "number") worker.postMessage({ memory: result }, []);
    else worker.postMessage({ image: result }, [result.pixels.buffer]);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    worker.postMessage({ reason: error.reason }, []);
  }
});
