import type { TakeBytes } from "./admission.ts";
import { Problem } from "./problem.ts";

/** The form field of the image. */
export const IMAGE_FIELD = "image";

const IS_IMAGE_FIELD = new RegExp(`;\\s*name="?${IMAGE_FIELD}"?\\s*(?:;|$)`, "i");
/** Bytes reserved for an upload at first. */
const FIRST_BYTES = 2 ** 16;
/** After so many milliseconds of reading, others have a turn. */
const TURN_MS = 5;
const MOST_PARTS = 1000;
/** Maximum length of the headers of a form's part. */
const MOST_PART_HEADERS = 4096;

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
  const image = /^multipart\/form-data\b/i.test(type) ? imageField(body, type) : body;
  if (image.length > 0) return image;
  throw new Problem(400, `There is no image: send its bytes, or a form with a file in the field '${IMAGE_FIELD}'`);
}

async function readBody(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  { most, take, signal }: ReadUploadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = new Uint8Array(FIRST_BYTES);
  let size = 0;
  let turn = performance.now();
  const reader = stream.getReader();
  // A client that sends a byte a minute must not occupy a slot for ever.
  const stop = () => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", stop);
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const end = size + part.value.length;
      if (end > most) throw tooLarge(most);
      take(part.value.length);
      if (end > bytes.length) bytes = resized(bytes, Math.max(end, 2 * bytes.length));
      // Copied, because a part of one byte keeps 64 KB in memory.
      bytes.set(part.value, size);
      size = end;
      // Parts that wait in memory would be read without a pause, while other requests and the timeout wait.
      if (performance.now() - turn > TURN_MS) {
        await new Promise((resolve) => setTimeout(resolve));
        turn = performance.now();
      }
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(400, "The upload was interrupted");
  } finally {
    signal.removeEventListener("abort", stop);
  }
  signal.throwIfAborted();
  return resized(bytes, size);
}

/** Finds the file in a form. `Request.formData()` would make four copies, and hold up all requests: 1.8 s for 20 MB. */
function imageField(body: Uint8Array<ArrayBuffer>, type: string): Uint8Array<ArrayBuffer> {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(type) ?? [];
  const delimiter = `\r\n--${quoted ?? plain}`;
  const first = quoted ?? plain ? find(delimiter.slice(2), body, 0) : -1;
  for (let part = first + delimiter.length - 2, parts = 0; first >= 0 && parts < MOST_PARTS; parts++) {
    if (textOf(body.subarray(part, part + 2)) === "--") return new Uint8Array();
    const start = find("\r\n\r\n", body, part) + 4;
    const end = find(delimiter, body, start);
    if (start < 4 || end < 0 || start - part > MOST_PART_HEADERS) break;
    const [, disposition = ""] = /^content-disposition:(.*)$/im.exec(textOf(body.subarray(part, start))) ?? [];
    if (IS_IMAGE_FIELD.test(disposition)) {
      const isFile = /;\s*filename\*?=/i.test(disposition);
      return isFile ? resized(body.copyWithin(0, start, end), end - start) : new Uint8Array();
    }
    part = end + delimiter.length;
  }
  throw new Problem(400, "The form cannot be read: it does not match its Content-Type");
}

/** The position of an ASCII text, or -1. `Buffer.indexOf()` takes ten times as long in Deno. */
function find(text: string, bytes: Uint8Array, from: number): number {
  const sought = new TextEncoder().encode(text);
  const [first = 0] = sought;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    let same = 1;
    while (same < sought.length && bytes[at + same] === sought[same]) same++;
    if (same === sought.length) return at;
  }
  return -1;
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function resized({ buffer }: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer.transfer(size));
}

function tooLarge(most: number): Problem {
  return new Problem(413, `The upload has more than ${most} bytes; send a smaller image`);
}
