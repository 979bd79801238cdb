import type { Example } from "../../data/dataset.ts";
import type { ImageFile } from "../../images/image_file.ts";
import type { ImageResize } from "../../ffi/settings.ts";
import type { ImageDecoding, Resizer } from "../../images/preprocessing.ts";
import type { DecodeImageOptions, RgbImage } from "../../images/rgb_image.ts";

/** Decodes image files, several at once, like `ImageDecoders`. */
export interface Decoders extends Disposable {
  /** The maximum number of images decoded at once. */
  readonly count: number;
  /** Reads and decodes an image file and passes it to `use`; throws an {@linkcode ImageError} if it cannot. */
  decodeThen<Result>(
    file: ImageFile,
    use: (image: RgbImage) => Promise<Result>,
    options: DecodeImageOptions & { readonly maxPixels: number },
  ): Promise<Result>;
}

/** The disk as seen by a cache; tests replace it. */
export interface CacheDisk {
  /** Free bytes on a folder's disk; undefined if unknown. */
  readonly freeBytes: (folder: string) => Promise<number | undefined>;
  /** The current time in milliseconds since 1970. */
  readonly now: () => number;
  /**
   * Free bytes to leave for the run's checkpoints and features, which follow its images.
   *
   * @default {2 GB}
   */
  readonly reserve: number;
}

/** Options of {@linkcode openImageCache}. */
export interface ImageCacheOptions {
  /** The folder of all caches; created if missing. */
  folder: string;
  /** Side of the resized images in pixels. */
  side: number;
  /**
   * How images become squares.
   *
   * @default {"crop"}
   */
  resize?: ImageResize;
  /**
   * How files are decoded.
   *
   * @default {{ applyExif: true }}
   */
  decoding?: ImageDecoding;
  /**
   * Maximum number of pixels of an image. A larger image that is already cached stays there, but is skipped.
   *
   * @default {50e6}
   */
  maxPixels?: number;
  /**
   * Store resized images: `auto` if the disk has room, `none` never. Without, each read decodes the image again, to the
   * same pixels; the index of the images is kept all the same.
   *
   * @default {"auto"}
   */
  cache?: "auto" | "none";
  /** Resizes images. */
  engine: Resizer;
  /** Starts decoders. They are disposed with the cache or before. */
  newDecoders: () => Decoders;
  /**
   * Called after each image while the cache is filled; not called if it is complete.
   *
   * @default {undefined}
   */
  onProgress?: (done: number, total: number) => void;
  /**
   * Called once while waiting for another process that fills the cache.
   *
   * @default {undefined}
   */
  onWait?: () => void;
  /**
   * Receives a line for the user: the disk is full, a stored image is damaged.
   *
   * @default {undefined}
   */
  onNote?: (line: string) => void;
  /**
   * Aborts filling the cache. Images decoded so far are kept.
   *
   * @default {undefined}
   */
  signal?: AbortSignal;
  /**
   * The disk: its free space and its clock.
   *
   * @default {the system's}
   */
  disk?: Partial<CacheDisk>;
}

/** An image that is missing or cannot be decoded. */
export interface BrokenImage {
  /** Its path. */
  readonly path: string;
  readonly reason: string;
}

/** An open cache: close it with `using`, after the last read. */
export interface ImageCache extends Disposable {
  /** Side of the resized images in pixels. */
  readonly side: number;
  /** What was done to the images: `256-v5`. */
  readonly preprocessing: string;
  /** A digest of the images' bytes and preprocessing, the same whether they are stored or not. */
  readonly fingerprint: string;
  /** The examples with a usable image, in the given order. */
  readonly examples: readonly Example[];
  /** SHA-256 of each image's bytes, in the same order; equal for duplicates. */
  readonly contents: readonly string[];
  /** The skipped images. */
  readonly broken: readonly BrokenImage[];
  /**
   * Reads the center crop of a resized image, like torchvision's CenterCrop: if the margins differ by one pixel, it
   * starts at the even row and column. Reads may overlap.
   *
   * @param index Index in `examples`.
   * @param side Side of the crop in pixels, at most that of the resized image.
   * @param into Receives side x side x 3.
   * @throws {RangeError} If an argument is out of range.
   * @throws {ImageError} If the image is not stored intact, and its file has changed or cannot be read. The user is
   * told that it is skipped.
   */
  read(index: number, side: number, into: Uint8Array): Promise<void>;
}
