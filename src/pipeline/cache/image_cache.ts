/**
 * A cache of decoded images: what it offers, and what it is opened with.
 *
 * @module
 */

import type { Example } from "../../data/dataset.ts";
import type { ImageFile } from "../../images/image_file.ts";
import type { RgbImage } from "../../images/rgb_image.ts";
import type { CacheDisk } from "./cache_disk.ts";

/** Decodes image files, several at once, as `ImageDecoders` does. */
export interface Decoders extends Disposable {
  /** The most images decoded at once. */
  readonly count: number;
  /** Reads and decodes an image file, and hands it on; throws an {@linkcode ImageError} where it cannot. */
  decodeThen<Result>(
    file: ImageFile,
    use: (image: RgbImage) => Promise<Result>,
    options: { readonly maxPixels: number; readonly applyExif: boolean },
  ): Promise<Result>;
}

/** Options of {@linkcode openImageCache}. */
export interface ImageCacheOptions {
  /** Where caches are kept; made if it is missing. */
  folder: string;
  /** Side of the squares in pixels. */
  side: number;
  /**
   * Whether the orientation that a camera noted is applied.
   *
   * @default {true}
   */
  applyExif?: boolean;
  /**
   * The most pixels that an image may have. One that is in the cache already keeps its square, and is left out as long as
   * the limit is below its size.
   *
   * @default {50e6}
   */
  maxPixels?: number;
  /**
   * Whether squares are kept: `auto` where the disk has room for them, `none` never. Without, each read decodes the image
   * anew, to the same pixels; what is found out about the images is kept all the same.
   *
   * @default {"auto"}
   */
  cache?: "auto" | "none";
  /** Scales an image until its short side has `shortSide` pixels, and cuts the center `crop` x `crop` x 3 out of it. */
  resizeCrop: (image: RgbImage, shortSide: number, crop: number) => Promise<Uint8Array>;
  /** Starts decoders. They are disposed with the cache or before. */
  newDecoders: () => Decoders;
  /**
   * Called after each image while the cache is filled; not called where all is there already.
   *
   * @default {undefined}
   */
  onProgress?: (done: number, total: number) => void;
  /**
   * Called once where another process fills the cache, which is waited for.
   *
   * @default {undefined}
   */
  onWait?: () => void;
  /**
   * Takes a line for the user: the disk has no room, a stored square is damaged.
   *
   * @default {undefined}
   */
  onNote?: (line: string) => void;
  /**
   * Ends the filling of the cache. What was decoded until then is kept.
   *
   * @default {undefined}
   */
  signal?: AbortSignal;
  /**
   * The disk: what it has left, the opening of a file to be written, and its clock.
   *
   * @default {the system's}
   */
  disk?: Partial<CacheDisk>;
}

/** A image that is missing or cannot be decoded. */
export interface BrokenImage {
  /** Its path. */
  readonly path: string;
  /** What is wrong with it. */
  readonly reason: string;
}

/** An open cache: close it with `using`, after the last read has ended. */
export interface ImageCache extends Disposable {
  /** Side of the squares in pixels. */
  readonly side: number;
  /** A digest of the images' bytes, and of how their pixels are made; the same whether they are stored or not. */
  readonly fingerprint: string;
  /** The images that have pixels, in the order they were given. */
  readonly examples: readonly Example[];
  /** SHA-256 of each image's bytes, in the same order: duplicates have the same. */
  readonly contents: readonly string[];
  /** The images that were left out. */
  readonly broken: readonly BrokenImage[];
  /**
   * Reads the center of an image's square. Where that is off the middle by half a pixel, it begins at the even row
   * and column, as torchvision's CenterCrop does. Reads may be asked for at the same time.
   *
   * @param index Its index in `examples`.
   * @param side Side of the center in pixels; all of the square at the most.
   * @param into Filled: side x side x 3.
   * @throws {RangeError} If one of the arguments is out of range.
   * @throws {ImageError} If the image is not stored whole, and its file is no longer as it was or cannot be read; the user
   * was told that it is left out.
   */
  read(index: number, side: number, into: Uint8Array): Promise<void>;
}
