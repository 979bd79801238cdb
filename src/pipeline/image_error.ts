/**
 * The error for image files that cannot be used.
 *
 * @module
 */

import { InputError } from "../input_error.ts";

/** An image file cannot be read or decoded. A dataset's reader leaves such an image out and counts it. */
export class ImageError extends InputError {
  /** What is wrong with the file, and what to do: "the JPEG ends too early, fetch or copy the file again". */
  readonly reason: string;

  /**
   * Words the message.
   *
   * @param reason What is wrong with the file.
   * @param path The file, where it is known.
   */
  constructor(reason: string, path?: string) {
    super(`Cannot decode image${path === undefined ? "" : ` '${path}'`}: ${reason}`);
    this.reason = reason;
  }
}
