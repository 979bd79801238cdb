/** A decoded image of 8-bit colors. */
export interface RgbImage {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** R, G, B of each pixel, row by row from the top: height x width x 3. */
  readonly pixels: Uint8Array<ArrayBuffer>;
}

/** Options of {@linkcode decodeImage}. */
export interface DecodeImageOptions {
  /**
   * The maximum number of pixels an image may declare. Larger images are rejected before decoding, and so are images
   * that need more than 8 bytes of memory for each of these pixels (400 MB by default, and never less).
   *
   * @default {50e6}
   */
  maxPixels?: number;
  /**
   * Applies the EXIF orientation.
   *
   * @default {true}
   */
  applyExif?: boolean;
}
