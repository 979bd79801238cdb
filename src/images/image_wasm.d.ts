// ImageScript's JPEG decoder, as exported by its WebAssembly module. Pointers are byte offsets into `memory`, whose
// `buffer` is replaced whenever a call grows it.

export interface JpegDecoder {
  readonly memory: WebAssembly.Memory;
  walloc(length: number): number;
  /**
   * Decodes a JPEG and takes ownership of its bytes. Width and height request a smaller scale; 0 and 0 for none.
   * Returns a result to free, or 0 or 1 on failure.
   */
  decode(pointer: number, length: number, width: number, height: number): number;
  /** Width of a result in pixels. */
  decode_width(result: number): number;
  /** Height of a result in pixels. */
  decode_height(result: number): number;
  /** Color format of a result: 0 gray, 1 RGB, 2 CMYK with 255 for full ink. */
  decode_format(result: number): number;
  /** Pointer to a result's samples; `wlen` returns their number next. */
  decode_buffer(result: number): number;
  /** Length left by the previous call. */
  wlen(): number;
  /** Frees a result. */
  decode_free(result: number): void;
}

/** Creates a JPEG decoder with its own memory. */
export function newJpegDecoder(): JpegDecoder;
