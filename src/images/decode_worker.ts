// The Worker of {@linkcode ImageDecoders}: answers each {@linkcode DecodeRequest} with one {@linkcode DecodeAnswer}, in
// order.

import { decodeBytes } from "./decode_bytes.ts";
import type { DecodeImageOptions, RgbImage } from "./rgb_image.ts";
import { closeVips } from "./load_vips.ts";
import { ImageError } from "./image_error.ts";
import { type ImageBytes, type ImageFile, readImageBytes } from "./image_file.ts";
import type { ThreadStart } from "./vips_thread_worker.ts";

/** An image to decode, or `close` to end the Worker. */
export type DecodeRequest = DecodeJob | "close";

export interface DecodeJob {
  readonly file: ImageFile | ImageBytes;
  readonly options: DecodeImageOptions;
  /** Bytes it may use. */
  readonly memory: number;
}

/**
 * The image, its pixels transferred; or the bytes of memory it needs; or the reason it cannot be decoded. The answer to
 * `close`, the last one, is `closed`. Before an answer it may ask for threads, and says that its decoder is loaded.
 */
export type DecodeAnswer =
  | { readonly image: RgbImage }
  | { readonly memory: number }
  | { readonly reason: string }
  | { readonly closed: true }
  | { readonly thread: ThreadStart }
  | { readonly loaded: true };

// Deno's type checker assumes a main thread, which has no postMessage.
const worker = globalThis as unknown as {
  postMessage(answer: DecodeAnswer, transfer: Transferable[]): void;
};

const onLoaded = () => worker.postMessage({ loaded: true }, []);
const startThread = (thread: ThreadStart) => worker.postMessage({ thread }, [thread.port]);

async function decode({ file, options, memory }: DecodeJob): Promise<RgbImage | number> {
  const bytes = "bytes" in file ? file.bytes : await readImageBytes(file, memory);
  return typeof bytes === "number" ? bytes : await decodeBytes(bytes, { ...options, memory, startThread, onLoaded });
}

async function answer(request: DecodeRequest): Promise<void> {
  try {
    if (request === "close") {
      await closeVips();
      worker.postMessage({ closed: true }, []);
      return;
    }
    const result = await decode(request);
    if (typeof result === "number") worker.postMessage({ memory: result }, []);
    else worker.postMessage({ image: result }, [result.pixels.buffer]);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    worker.postMessage({ reason: error.reason }, []);
  }
}

let last = Promise.resolve();
addEventListener("message", (event) => {
  const request = (event as MessageEvent<DecodeRequest>).data;
  // One after the other, so that closing waits for the image before.
  last = last.then(() => answer(request));
});
