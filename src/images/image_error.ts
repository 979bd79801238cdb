import { InputError } from "../input_error.ts";

/**
 * An image file cannot be read or decoded. Dataset readers skip such an image and count it.
 *
 * @example A file that is not an image
 * ```ts
 * import assert from "node:assert/strict";
 * import { decodeImage, ImageError } from "@lrcn/lrcn/images";
 *
 * await assert.rejects(decodeImage(new TextEncoder().encode("no image")), ImageError);
 * ```
 */
export class ImageError extends InputError {
  /** The reason and the remedy: "the JPEG ends too early, fetch or copy the file again". */
  readonly reason: string;
  /** The image is at fault, or its decoder failed, which may succeed another time. */
  readonly kind: "image" | "decoder";

  /** Formats the message. */
  constructor(reason: string, path?: string, kind: "image" | "decoder" = "image") {
    super(`Cannot decode image${path === undefined ? "" : ` '${path}'`}: ${reason}`, { code: "INVALID_IMAGE" });
    this.reason = reason;
    this.kind = kind;
  }
}
