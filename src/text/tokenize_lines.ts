/**
 * Lines of text to lines of tokens, as a stream.
 *
 * @module
 */

import { InputError } from "../input_error.ts";

/** The longest line that is read, in bytes. No caption is as long, and memory has an end. */
export const MAX_LINE_BYTES = 4_000_000;

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
/** Characters that are gathered before they are handed on. */
const ENOUGH = 65_536;

/**
 * Tokenizes lines as they come in. A line ends with LF or CRLF, the last one also without; a byte order mark before the
 * first is passed over.
 *
 * @param input UTF-8, in pieces of any size.
 * @param tokenize From a line to its tokens.
 * @returns Texts that together have a line for each line read: its tokens with spaces between.
 * @throws {InputError} If a line is not UTF-8 or longer than {@linkcode MAX_LINE_BYTES}; the lines before have been
 * handed on.
 */
export async function* tokenizeLines(
  input: AsyncIterable<Uint8Array>,
  tokenize: (line: string) => string[],
): AsyncGenerator<string, void> {
  const lines = new Lines();
  let text = "";
  try {
    for await (const piece of input) {
      for (const line of lines.read(piece)) {
        text += `${tokenize(line).join(" ")}\n`;
        if (text.length < ENOUGH) continue;
        yield text;
        text = "";
      }
      if (text !== "") yield text;
      text = "";
    }
    for (const line of lines.end()) text += `${tokenize(line).join(" ")}\n`;
  } catch (error) {
    if (text !== "") yield text;
    throw error;
  }
  if (text !== "") yield text;
}

/** Cuts bytes that come in pieces into lines. */
class Lines {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #number = 1;
  /** The beginning of a line whose end has not come. */
  #begun: Uint8Array[] = [];
  #length = 0;

  *read(piece: Uint8Array): Generator<string, void> {
    let start = 0;
    for (let end = piece.indexOf(LINE_FEED); end >= 0; end = piece.indexOf(LINE_FEED, start)) {
      this.#add(piece.subarray(start, end));
      yield this.#finish();
      start = end + 1;
    }
    // A copy, since whoever gave the piece may use it again.
    if (start < piece.length) this.#add(piece.slice(start));
  }

  *end(): Generator<string, void> {
    if (this.#begun.length > 0) yield this.#finish();
  }

  #add(part: Uint8Array): void {
    this.#length += part.length;
    if (this.#length > MAX_LINE_BYTES) {
      throw this.#error(`is longer than ${MAX_LINE_BYTES / 1e6} MB; give one caption on each line`);
    }
    this.#begun.push(part);
  }

  #finish(): string {
    const [only = new Uint8Array(), ...more] = this.#begun;
    const bytes = more.length === 0 ? only : join(this.#begun, this.#length);
    this.#begun = [];
    this.#length = 0;
    const line = this.#decode(bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes);
    return this.#number++ === 1 && line.startsWith("\ufeff") ? line.slice(1) : line;
  }

  #decode(bytes: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // the decoder's, for bytes that are not UTF-8
      throw this.#error("is not UTF-8; convert the text");
    }
  }

  #error(what: string): InputError {
    return new InputError(`Cannot tokenize: line ${this.#number} of the input ${what}`);
  }
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let start = 0;
  for (const part of parts) {
    whole.set(part, start);
    start += part.length;
  }
  return whole;
}
