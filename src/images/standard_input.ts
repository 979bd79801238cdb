/**
 * Standard input that holds an image, or paths.
 *
 * @module
 */

import { InputError } from "../input_error.ts";
import { ImageError } from "./image_error.ts";
import { imageKind } from "./image_header.ts";

/** What standard input holds. */
export type StandardInput =
  | { readonly image: Uint8Array<ArrayBuffer> }
  | { readonly paths: AsyncIterable<string> };

/** No image's first bytes are taken for text once so many are there. */
const TELLING_BYTES = 16;
/** As of an image file. */
const MAX_IMAGE_BYTES = 256 * 2 ** 20;
/** Longer than any path that a system takes. */
const MAX_PATH_LENGTH = 65_536;

/**
 * Reads standard input's first bytes, and if they are not text's, all of it.
 *
 * @param input Standard input.
 * @param signal Ends the paths.
 * @returns The bytes of one image, or the paths as they come, one a line; blank lines are passed over.
 * @throws {InputError} If there is nothing, or too much for an image. Paths throw it at a line that is none.
 */
export async function readStandardInput(
  input: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal?: AbortSignal,
): Promise<StandardInput> {
  const pieces = piecesOf(input, signal);
  const read: Uint8Array<ArrayBuffer>[] = [];
  let head = new Uint8Array();
  while (head.length < TELLING_BYTES && !head.includes(0x0a)) {
    const piece = await pieces.next();
    if (piece.done) break;
    read.push(piece.value);
    head = joined(read, 512);
  }
  if (head.length === 0) {
    throw new InputError("Cannot read images: standard input is empty; give it an image, or paths, one a line");
  }
  if (imageKind(head) === "text") return { paths: linesOf(read, pieces) };
  let size = read.reduce((sum, { length }) => sum + length, 0);
  for await (const piece of pieces) {
    read.push(piece);
    size += piece.length;
    if (size > MAX_IMAGE_BYTES) {
      throw new ImageError(`it has more than ${MAX_IMAGE_BYTES} bytes, give a smaller image`, "-");
    }
  }
  return { image: joined(read, size) };
}

/** Pieces as they come; when the signal is aborted there are no more, even where the next never comes. */
async function* piecesOf(
  input: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const reader = input.getReader();
  const { promise: aborted, resolve: end } = Promise.withResolvers<void>();
  const listener = () => end();
  signal?.addEventListener("abort", listener);
  try {
    while (!signal?.aborted) {
      const piece = await Promise.race([reader.read(), aborted]);
      if (piece === undefined || piece.done) return;
      yield piece.value;
    }
  } finally {
    signal?.removeEventListener("abort", listener);
  }
}

async function* linesOf(
  begun: readonly Uint8Array[],
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  for await (const piece of inTurn(begun, rest)) {
    text += decoded(decoder, piece);
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    if (text.length > MAX_PATH_LENGTH) throw new InputError("Cannot read paths: a line is no path; give one a line");
    for (const line of lines) if (line.trim() !== "") yield line.replace(/\r$/, "");
  }
  text += decoded(decoder);
  if (text.trim() !== "") yield text.replace(/\r$/, "");
}

async function* inTurn<T>(first: Iterable<T>, second: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  yield* first;
  yield* second;
}

function decoded(decoder: TextDecoder, piece?: Uint8Array): string {
  try {
    return piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // the decoder's, for bytes that are not UTF-8
    throw new InputError("Cannot read paths: standard input is neither an image nor text in UTF-8", { cause: error });
  }
}

function joined(pieces: readonly Uint8Array[], most: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(Math.min(most, pieces.reduce((sum, { length }) => sum + length, 0)));
  let start = 0;
  for (const piece of pieces) {
    whole.set(piece.subarray(0, whole.length - start), start);
    start += Math.min(piece.length, whole.length - start);
  }
  return whole;
}
