/**
 * The Worker that decodes one image from memory for `ImageDecoders`: the image's bytes come in first, then a request,
 * whose file's name counts for nothing.
 *
 * @module
 */

import { checkImage } from "../pipeline/images/check_image.ts";
import { decodeChecked } from "../pipeline/images/decode_checked.ts";
import type { DecodeAnswer, DecodeRequest } from "../pipeline/images/decode_worker.ts";
import { decodingMemory } from "../pipeline/images/decoding_memory.ts";
import { ImageError } from "../pipeline/images/image_error.ts";

// The types that Deno checks with are those of its main thread, where nothing can be posted.
const worker = globalThis as unknown as { postMessage(answer: DecodeAnswer, transfer: Transferable[]): void };

let bytes = new Uint8Array();

addEventListener("message", async (event) => {
  const message: Uint8Array<ArrayBuffer> | DecodeRequest = (event as MessageEvent).data;
  if (message instanceof Uint8Array) {
    bytes = message;
    return;
  }
  try {
    const header = checkImage(bytes, message.options);
    const memory = decodingMemory(header, bytes.length);
    if (memory > message.memory) worker.postMessage({ memory }, []);
    else {
      const image = await decodeChecked(bytes, header, message.options);
      worker.postMessage({ image }, [image.pixels.buffer]);
    }
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    worker.postMessage({ reason: error.reason }, []);
  }
});
