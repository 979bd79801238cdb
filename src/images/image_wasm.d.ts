/**
 * ImageScript's JPEG decoder, as its WebAssembly exports it. Pointers are byte offsets into `memory`, whose
 * `buffer` is another object after each call that lets it grow.
 *
 * @module
 */

/** Exports of the JPEG decoder. */
export interface JpegDecoder {
  /** All that the decoder works in. */
  readonly memory: WebAssembly.Memory;
  /** Allocates bytes. */
  walloc(length: number): number;
  /**
   * Decodes a JPEG and takes its bytes over. Width and height ask for a smaller scale; 0 and 0 for none.
   * Returns a result to be freed, or 0 or 1 where it failed.
   */
  decode(pointer: number, length: number, width: number, height: number): number;
  /** Width of a result in pixels. */
  decode_width(result: number): number;
  /** Height of a result in pixels. */
  decode_height(result: number): number;
  /** Samples of a result: 0 gray, 1 RGB, 2 CMYK where 255 is full ink. */
  decode_format(result: number): number;
  /** Pointer to the samples of a result; their number is what `wlen` returns next. */
  decode_buffer(result: number): number;
  /** Length that the call before left. */
  wlen(): number;
  /** Frees a result. */
  decode_free(result: number): void;
}

/** Makes a JPEG decoder with a memory of its own. */
export function newJpegDecoder(): JpegDecoder;
