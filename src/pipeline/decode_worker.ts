/**
 * The Worker that reads and decodes image files for {@linkcode ImageDecoders}: for each path that comes in, one
 * {@linkcode DecodeAnswer} goes out, in the same order.
 *
 * @module
 */

import type { RgbImage } from "./decode_image.ts";
import { ImageError } from "./image_error.ts";
import { readImage } from "./read_image.ts";

/** The picture, whose pixels are moved and not copied, or what is wrong with the file. */
export type DecodeAnswer = { readonly image: RgbImage } | { readonly reason: string };

// The types that Deno checks with are those of its main thread, where nothing can be posted.
const worker = globalThis as unknown as { postMessage(answer: DecodeAnswer, transfer: Transferable[]): void };

addEventListener("message", async (event) => {
  const path: unknown = (event as MessageEvent).data;
  if (typeof path !== "string") throw new TypeError("Cannot decode image: the message must be a path");
  try {
    const image = await readImage(path);
    worker.postMessage({ image }, [image.pixels.buffer]);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    worker.postMessage({ reason: error.reason }, []);
  }
});
