/**
 * The error for image files that cannot be used.
 *
 * @module
 */

import { InputError } from "../input_error.ts";

/**
 * An image file cannot be read or decoded. A dataset's reader leaves such an image out and counts it.
 *
 * @example A file that is no image
 * ```ts
 * import assert from "node:assert/strict";
 * import { decodeImage, ImageError } from "@lrcn/lrcn";
 *
 * await assert.rejects(decodeImage(new TextEncoder().encode("no image")), ImageError);
 * ```
 */
export class ImageError extends InputError {
  /** What is wrong with the file, and what to do: "the JPEG ends too early, fetch or copy the file again". */
  readonly reason: string;
  /** Whether the fault is the image's, or its decoder's, which may do better another time. */
  readonly kind: "image" | "decoder";

  /**
   * Words the message.
   *
   * @param reason What is wrong with the file.
   * @param path The file, where it is known.
   * @param kind Whose fault it is.
   */
  constructor(reason: string, path?: string, kind: "image" | "decoder" = "image") {
    super(`Cannot decode image${path === undefined ? "" : ` '${path}'`}: ${reason}`);
    this.reason = reason;
    this.kind = kind;
  }
}
