import { fileURLToPath } from "node:url";
import { ImageDecoders } from "./image_decoders.ts";
import type { ImageBytes, ImageFile } from "./image_file.ts";
import type { DecodeImageOptions, RgbImage } from "./rgb_image.ts";

let shared: { readonly decoders: ImageDecoders; users: number } | undefined;

/**
 * Decodes a JPEG, PNG, WebP, GIF (its first frame), TIFF (its first page), AVIF or HEIC image. 16-bit samples keep their
 * upper byte. Width and height are those after applying the EXIF orientation.
 *
 * It decodes in Workers, which end when nothing is left to decode: many images are fastest if they are asked for together.
 *
 * @throws {ImageError} If the file is of another format, is truncated or damaged, or is too large or too elongated.
 *
 * @example Size of an image
 * ```ts
 * import assert from "node:assert/strict";
 * import { decodeImage } from "@lrcn/lrcn/images";
 *
 * const { width, height, pixels } = await decodeImage(await Deno.readFile("docs/example/scenes/Images/item-000.png"));
 * assert.deepEqual([width, height, pixels.length], [48, 48, 48 * 48 * 3]);
 * ```
 */
export async function decodeImage(bytes: Uint8Array, options: DecodeImageOptions = {}): Promise<RgbImage> {
  return await decodeImageFile({ bytes: new Uint8Array(bytes) }, options);
}

/** {@linkcode decodeImage} for a file, too: its errors name the path. */
export async function decodeImageFile(file: ImageFile | ImageBytes, options: DecodeImageOptions): Promise<RgbImage> {
  const used = shared ??= { decoders: new ImageDecoders(), users: 0 };
  used.users++;
  try {
    return await used.decoders.decode(file, options);
  } finally {
    if (--used.users === 0) {
      shared = undefined;
      used.decoders[Symbol.dispose]();
    }
  }
}

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
