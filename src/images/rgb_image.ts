/** A decoded image of 8-bit colors. */
export interface RgbImage {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** R, G, B of each pixel, row by row from the top: height x width x 3. */
  readonly pixels: Uint8Array<ArrayBuffer>;
  /** The size of the image in its file, if it was shrunk while it was decoded. */
  readonly original?: { readonly width: number; readonly height: number };
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
  /**
   * Converts the colors of the image's profile (Display P3, Adobe RGB, CMYK inks) to sRGB. Otherwise the numbers stay as
   * they are, as in Pillow.
   *
   * @default {true}
   */
  colorManagement?: boolean;
  /**
   * What becomes of transparency.
   *
   * @default {"white"}
   */
  alpha?: Alpha;
  /**
   * Decodes a JPEG at half, a quarter or an eighth of its size, as far as its short side keeps this many pixels. That is
   * several times as fast for a photo of 12 megapixels.
   *
   * @default {0, which decodes the whole image}
   */
  minShortSide?: number;
}

/**
 * What becomes of transparency: `white` blends it over white, `drop` keeps the hidden colors, as Pillow's
 * `convert("RGB")` does.
 */
export type Alpha = "white" | "drop";

/** All values of {@linkcode Alpha}. */
export const ALPHAS = ["white", "drop"] as const satisfies readonly Alpha[];
