// The Worker of {@linkcode ImageDecoders}: answers each {@linkcode DecodeRequest} with one {@linkcode DecodeAnswer}, in
// order.

import type { DecodeImageOptions, RgbImage } from "./rgb_image.ts";
import { ImageError } from "./image_error.ts";
import type { ImageBytes, ImageFile } from "./image_file.ts";
import { decodeBytesWithin, readImageWithin } from "./read_image.ts";

export interface DecodeRequest {
  readonly file: ImageFile | ImageBytes;
  readonly options: DecodeImageOptions;
  /** Bytes it may use. */
  readonly memory: number;
}

/** The image, its pixels transferred; or the bytes of memory it needs; or the reason it cannot be decoded. */
export type DecodeAnswer = { readonly image: RgbImage } | { readonly memory: number } | { readonly reason: string };

// Deno's type checker assumes a main thread, which has no postMessage.
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
