/**
 * Where an image lies.
 *
 * @module
 */

/** The bytes of an image: a file of its own, or a range of a larger file such as a tar. */
export interface ImageFile {
  /** The file. */
  readonly path: string;
  /**
   * The image's first byte in the file.
   *
   * @default {0}
   */
  readonly offset?: number;
  /**
   * The image's bytes.
   *
   * @default {those up to the file's end}
   */
  readonly size?: number;
}
