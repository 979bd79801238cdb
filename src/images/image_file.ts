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
  /**
   * The image's name in the file.
   *
   * @default {none, the file is the image}
   */
  readonly member?: string;
}

/** An image in memory. */
export interface ImageBytes {
  /** The whole file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * What a person knows it by.
   *
   * @default {nothing}
   */
  readonly name?: string;
}

/**
 * Names an image for a person.
 *
 * @param file Where it lies.
 * @returns Its path, within a larger file as if that were a folder: "shard-0.tar/dog.jpg".
 */
export function imagePath({ path, member }: Pick<ImageFile, "path" | "member">): string {
  return member === undefined ? path : `${path}/${member}`;
}
