import { InputError } from "../../input_error.ts";
import { centerCrop } from "../../images/preprocessing.ts";
import type { Example } from "../../data/dataset.ts";
import type { BrokenImage, Decoders, ImageCache } from "./image_cache.ts";
import { ImageError } from "../../images/image_error.ts";
import { imagePath } from "../../images/image_file.ts";
import { contentDigest, fileState, type FileStateNow, sameState } from "./image_content.ts";
import { type ImageStore, resizedBytes } from "./image_store.ts";
import type { ResizeImage } from "./fill_cache.ts";

/** An example with a decodable image. */
export interface KnownImage {
  readonly example: Example;
  /** Its file when the cache was opened. */
  readonly state: FileStateNow;
  /** SHA-256 of the bytes that the file contained then. */
  readonly content: string;
}

export interface OpenImagesOptions extends Pick<ImageCache, "side" | "preprocessing" | "fingerprint"> {
  /** The skipped images. */
  readonly broken: readonly BrokenImage[];
  /** The stored images, if there are any. */
  readonly store: ImageStore | undefined;
  /** Closes the store. */
  readonly close: () => void;
  /** Starts decoders when the first image is not stored. */
  readonly newDecoders: () => Decoders;
  /** Builds a {@linkcode ResizeImage} from them. */
  readonly imageResizer: (decoders: Decoders) => ResizeImage;
  /** Receives a line for the user. */
  readonly onNote: ((line: string) => void) | undefined;
}

interface Resizer {
  readonly decoders: Decoders;
  readonly resizeImage: ResizeImage;
}

/** Reads resized images from a cache, and decodes those that are not stored or damaged. */
export class OpenImages implements ImageCache {
  readonly side: number;
  readonly preprocessing: string;
  readonly fingerprint: string;
  readonly examples: readonly Example[];
  readonly contents: readonly string[];
  readonly broken: readonly BrokenImage[];
  readonly #images: readonly KnownImage[];
  readonly #options: OpenImagesOptions;
  #resizer: Resizer | undefined;
  #damageNoted = false;
  /** Images that can no longer be read. */
  readonly #lost = new Map<KnownImage, ImageError>();

  constructor(images: readonly KnownImage[], options: OpenImagesOptions) {
    this.#images = images;
    this.#options = options;
    this.examples = images.map(({ example }) => example);
    this.contents = images.map(({ content }) => content);
    ({ side: this.side, preprocessing: this.preprocessing, fingerprint: this.fingerprint } = options);
    this.broken = options.broken;
  }

  async read(index: number, crop: number, into: Uint8Array): Promise<void> {
    const { side } = this;
    const known = this.#images[index];
    if (known === undefined) {
      throw new RangeError(`Cannot read an image: index must be from 0 to ${this.#images.length - 1}, got ${index}`);
    }
    if (!Number.isInteger(crop) || crop < 1 || crop > side) {
      throw new RangeError(`Cannot read an image: crop must be from 1 to ${side}, got ${crop}`);
    }
    if (into.length !== crop * crop * 3) {
      throw new RangeError(`Cannot read an image: ${crop} x ${crop} x 3 bytes are needed, got ${into.length}`);
    }
    centerCrop(this.#readStored(known) ?? await this.#decode(known), into);
  }

  #readStored({ content, example }: KnownImage): Uint8Array | undefined {
    const { store, onNote } = this.#options;
    let reason: string;
    try {
      const pixels = store?.pixels(content);
      if (pixels === undefined || pixels.length === resizedBytes(this.side)) return pixels;
      reason = "its size is wrong";
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      reason = error.message;
    }
    if (!this.#damageNoted) {
      this.#damageNoted = true;
      onNote?.(
        `A cached image is damaged and decoded again, '${imagePath(example)}' (${reason}); ` +
          "to repair the cache: deno task cache verify",
      );
    }
    return undefined;
  }

  async #decode(known: KnownImage): Promise<Uint8Array> {
    const { example, state, content } = known;
    const lost = this.#lost.get(known);
    if (lost !== undefined) throw lost;
    this.#resizer ??= this.#startResizer();
    try {
      const now = await fileState(example);
      if ((state.fresh || !sameState(now, state)) && await contentDigest(now) !== content) {
        throw new ImageError("it has changed since the start");
      }
      return (await this.#resizer.resizeImage(example)).pixels;
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      const path = imagePath(example);
      const reason = `it is not in the cache, and its file can no longer be used: ${error.reason}`;
      // Two concurrent reads note it once.
      if (!this.#lost.has(known)) this.#options.onNote?.(`Skipped from now on: '${path}', ${reason}`);
      const lost = new ImageError(reason, path);
      this.#lost.set(known, lost);
      throw lost;
    }
  }

  #startResizer(): Resizer {
    const { newDecoders, imageResizer } = this.#options;
    const decoders = newDecoders();
    return { decoders, resizeImage: imageResizer(decoders) };
  }

  [Symbol.dispose](): void {
    this.#resizer?.decoders[Symbol.dispose]();
    this.#options.close();
  }
}
