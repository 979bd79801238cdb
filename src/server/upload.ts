import type { TakeBytes } from "./admission.ts";
import { Problem } from "./problem.ts";

/** The form field of the image. */
export const IMAGE_FIELD = "image";

/** Options of {@linkcode readUpload}. */
export interface ReadUploadOptions {
  /** Maximum size of a request's body in bytes. */
  readonly most: number;
  /** Called with the number of bytes as they arrive; an error that it throws stops the upload. */
  readonly take: TakeBytes;
  /** Stops the upload. */
  readonly signal: AbortSignal;
}

/**
 * Reads the image file of a request: the form field `image`, or the whole body.
 *
 * @throws {Problem} 413 if it is too large, or announced to be; 400 if there is none.
 */
export async function readUpload(request: Request, options: ReadUploadOptions): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get("content-length")) > options.most) throw tooLarge(options.most);
  const body = await readBody(request.body ?? new Blob().stream(), options);
  const type = request.headers.get("content-type") ?? "";
  const image = /^multipart\/form-data\b/i.test(type) ? await imageField(body, type) : body;
  if (image.length > 0) return image;
  throw new Problem(400, `There is no image: send its bytes, or a form with a file in the field '${IMAGE_FIELD}'`);
}

async function readBody(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  { most, take, signal }: ReadUploadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const reader = stream.getReader();
  // A client that sends a byte a minute must not occupy a slot for ever.
  const stop = () => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", stop);
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      size += part.value.length;
      if (size > most) throw tooLarge(most);
      take(part.value.length);
      pieces.push(part.value);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(400, "The upload was interrupted");
  } finally {
    signal.removeEventListener("abort", stop);
  }
  signal.throwIfAborted();
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

async function imageField(body: Uint8Array<ArrayBuffer>, type: string): Promise<Uint8Array<ArrayBuffer>> {
  let form: FormData;
  try {
    form = await new Response(body, { headers: { "content-type": type } }).formData();
  } catch {
    throw new Problem(400, "The form cannot be read: it does not match its Content-Type");
  }
  const field = form.get(IMAGE_FIELD);
  return field instanceof File ? new Uint8Array(await field.arrayBuffer()) : new Uint8Array();
}

function tooLarge(most: number): Problem {
  return new Problem(413, `The upload has more than ${most} bytes; send a smaller image`);
}
