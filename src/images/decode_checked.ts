import type { DecodeImageOptions, RgbImage } from "./rgb_image.ts";
import type { ImageHeader } from "./image_header.ts";

export interface DecodeCheckedOptions extends Pick<DecodeImageOptions, "applyExif"> {
  /**
   * Called at most once, when the decoder no longer needs the file's bytes.
   *
   * @default {undefined}
   */
  release?: () => void;
}

/**
 * Decodes an image whose header {@linkcode checkImage} accepted.
 *
 * @throws {ImageError} If the file is truncated or damaged.
 */
export async function decodeChecked(
  bytes: Uint8Array,
  header: ImageHeader,
  options: DecodeCheckedOptions = {},
): Promise<RgbImage> {
  const { applyExif = true, release } = options;
  const turned: ImageHeader = applyExif ? header : { ...header, orientation: 1 };
  // Imported on first use, so that importing this module loads no decoder.
  const pixels = turned.kind === "jpeg"
    ? (await import("./decode_jpeg.ts")).decodeJpeg(bytes, turned, release)
    : (await import("./decode_png.ts")).decodePng(bytes, turned);
  const { width, height } = header;
  return turned.orientation > 4 ? { width: height, height: width, pixels } : { width, height, pixels };
}
