/**
 * The image that a request brings.
 *
 * @module
 */

import { Problem } from "./problem.ts";

/** The field of a form that holds the image. */
export const IMAGE_FIELD = "image";

/**
 * Reads a request's image: the field `image` of a form, or the whole body.
 *
 * @param request The request.
 * @param options The most bytes that its body may have, and what ends the reading.
 * @returns The image's file.
 * @throws {Problem} 413 if it is larger; 400 if there is none.
 */
export async function readUpload(
  request: Request,
  { most, signal }: { readonly most: number; readonly signal: AbortSignal },
): Promise<Uint8Array<ArrayBuffer>> {
  const body = await readBody(request.body ?? new Blob().stream(), most, signal);
  const type = request.headers.get("content-type") ?? "";
  const image = /^multipart\/form-data\b/i.test(type) ? await imageField(body, type) : body;
  if (image.length > 0) return image;
  throw new Problem(400, `There is no image: send its bytes, or a form with a file in the field '${IMAGE_FIELD}'`);
}

/**
 * The bytes that a request's body may take.
 *
 * @param request The request.
 * @param most The most that are allowed.
 * @returns What it says of itself, or the most where it says nothing.
 * @throws {Problem} 413 if it says more.
 */
export function uploadSize(request: Request, most: number): number {
  const length = Number(request.headers.get("content-length") ?? most);
  if (length <= most) return length;
  throw tooLarge(most);
}

async function readBody(
  stream: ReadableStream<Uint8Array>,
  most: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  const reader = stream.getReader();
  // One who sends a byte a minute shall not keep a place for ever.
  const stop = () => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", stop);
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      size += part.value.length;
      if (size > most) throw tooLarge(most);
      pieces.push(part.value);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(400, "The upload ended before its end");
  } finally {
    signal.removeEventListener("abort", stop);
  }
  signal.throwIfAborted();
  const body = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    body.set(piece, at);
    at += piece.length;
  }
  return body;
}

async function imageField(body: Uint8Array<ArrayBuffer>, type: string): Promise<Uint8Array<ArrayBuffer>> {
  let form: FormData;
  try {
    form = await new Response(body, { headers: { "content-type": type } }).formData();
  } catch {
    throw new Problem(400, "The form cannot be read: it is not what its Content-Type says");
  }
  const field = form.get(IMAGE_FIELD);
  return field instanceof File ? new Uint8Array(await field.arrayBuffer()) : new Uint8Array();
}

function tooLarge(most: number): Problem {
  return new Problem(413, `The upload has more than ${most} bytes; send a smaller image`);
}
