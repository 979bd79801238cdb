import { fileURLToPath } from "node:url";
import { decodeImage, decodeImageFile } from "./decode_image.ts";
import type { DecodeImageOptions, RgbImage } from "./rgb_image.ts";

/** An image: the path or file URL of a file, its bytes, or its pixels. */
export type ImageInput = string | URL | Blob | Uint8Array | RgbImage;

/**
 * Reads and decodes an image as far as that is not done.
 *
 * @throws {ImageError} If it cannot be read or decoded.
 */
export async function openImage<Image extends RgbImage>(
  image: Exclude<ImageInput, RgbImage> | Image,
  options: DecodeImageOptions,
): Promise<RgbImage | Image> {
  if (image instanceof Uint8Array) return await decodeImage(image, options);
  if (image instanceof Blob) return await decodeImage(await image.bytes(), options);
  if (typeof image !== "string" && !(image instanceof URL)) return image;
  return await decodeImageFile({ path: typeof image === "string" ? image : fileURLToPath(image) }, options);
}
