/**
 * A decoded image, and how it is decoded.
 *
 * @module
 */

/** A picture of 8-bit colors. */
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
   * The most pixels that an image may declare; one with more is refused before anything is decoded, and so is one that
   * takes more than 8 bytes for each of these to decode (400 MB by default, and never less).
   *
   * @default {50e6}
   */
  maxPixels?: number;
  /**
   * Whether the picture is turned as its EXIF data say.
   *
   * @default {true}
   */
  applyExif?: boolean;
}
