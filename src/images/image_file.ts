/** The location of an image's bytes: a file of its own, or a range of a larger file such as a tar. */
export interface ImageFile {
  /** The file. */
  readonly path: string;
  /**
   * Offset of the image's first byte in the file.
   *
   * @default {0}
   */
  readonly offset?: number;
  /**
   * Size in bytes.
   *
   * @default {up to the file's end}
   */
  readonly size?: number;
  /**
   * The image's name inside the file.
   *
   * @default {none, the file is the image}
   */
  readonly member?: string;
}

export interface ImageBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * The name shown to the user.
   *
   * @default {none}
   */
  readonly name?: string;
}

/** An image's path for messages; inside a larger file as if that were a folder: "shard-0.tar/dog.jpg". */
export function imagePath({ path, member }: Pick<ImageFile, "path" | "member">): string {
  return member === undefined ? path : `${path}/${member}`;
}
