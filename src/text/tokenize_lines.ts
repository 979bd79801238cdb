import { InputError } from "../input_error.ts";

/** Maximum length of a line in bytes. No caption is as long, and memory is limited. */
export const MAX_LINE_BYTES = 4_000_000;

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
/** Characters to collect before they are yielded. */
const ENOUGH = 65_536;

/**
 * Tokenizes lines as they arrive. Lines end with LF or CRLF, the last one optionally; a byte order mark at the start is
 * skipped.
 *
 * @param input UTF-8, in chunks of any size.
 * @returns Texts that together contain one line per input line: its tokens separated by spaces.
 * @throws {InputError} If a line is not UTF-8 or longer than {@linkcode MAX_LINE_BYTES}; previous lines have been
 * yielded.
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

/** Splits chunks of bytes into lines. */
class Lines {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #number = 1;
  /** The parts of an incomplete line. */
  #begun: Uint8Array[] = [];
  #length = 0;

  *read(piece: Uint8Array): Generator<string, void> {
    let start = 0;
    for (let end = piece.indexOf(LINE_FEED); end >= 0; end = piece.indexOf(LINE_FEED, start)) {
      this.#add(piece.subarray(start, end));
      yield this.#finish();
      start = end + 1;
    }
    // Copied, since the caller may reuse the chunk.
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
      if (!(error instanceof TypeError)) throw error; // thrown by the decoder for invalid UTF-8
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
