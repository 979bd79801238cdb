import { InputError } from "../input_error.ts";
import { ImageError } from "./image_error.ts";
import { imageKind } from "./image_kind.ts";

export type StandardInput =
  | { readonly image: Uint8Array<ArrayBuffer> }
  | { readonly paths: AsyncIterable<string> };

/** With this many bytes, an image is never mistaken for text. */
const TELLING_BYTES = 16;
const NEITHER = "standard input is neither an image nor text in UTF-8";
/** As for an image file. */
const MAX_IMAGE_BYTES = 256 * 2 ** 20;
/** Longer than any path a system accepts. */
const MAX_PATH_LENGTH = 65_536;

/**
 * Reads standard input: all of it if it is an image, otherwise one path per line as they arrive, without blank lines.
 *
 * @param signal Ends the paths.
 * @throws {InputError} If it is empty, or too large for an image. The paths throw it at an overlong line and at bytes
 * that are not UTF-8.
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
    throw new InputError("Cannot read images: standard input is empty; give it an image, or one path per line");
  }
  const kind = imageKind(head);
  if (kind === "text") return { paths: linesOf(read, pieces) };
  if (kind === "unknown" && head.length >= TELLING_BYTES) throw new InputError(`Cannot read images: ${NEITHER}`);
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

/** Yields chunks until the signal is aborted, even if the next one never arrives. */
async function* piecesOf(
  input: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const reader = input.getReader();
  // Not Promise.race(), which would keep every piece until the signal is aborted.
  const cancel = () => void reader.cancel().catch(() => {});
  signal?.addEventListener("abort", cancel);
  try {
    while (!signal?.aborted) {
      const piece = await reader.read();
      if (piece.done) return;
      yield piece.value;
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
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
    if (text.length > MAX_PATH_LENGTH) {
      throw new InputError("Cannot read paths: a line is not a path; give one path per line");
    }
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
    if (!(error instanceof TypeError)) throw error; // thrown by the decoder for invalid UTF-8
    throw new InputError(`Cannot read paths: ${NEITHER}`, { cause: error });
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
