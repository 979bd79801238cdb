import { isDatabaseFull } from "../../files/database.ts";
import { ImageError } from "../../images/image_error.ts";
import type { ImageFile } from "../../images/image_file.ts";
import { type ImageSize, tooManyPixels } from "../../images/image_limits.ts";
import { readAhead } from "../../read_ahead.ts";
import { contentDigest, fileKey, fileState, type FileStateNow, type FoundFile, sameState } from "./image_content.ts";
import { type ImageEntry, type ImageStore, type Outcome, resizedBytes } from "./image_store.ts";

/** A resized image and the size of the original. */
export interface ResizedImage extends ImageSize {
  readonly pixels: Uint8Array;
}

/** Decodes and resizes an image file; throws an {@linkcode ImageError} if it cannot be used. */
export type ResizeImage = (file: ImageFile) => Promise<ResizedImage>;

/** Options of {@linkcode CacheFiller}. */
export interface CacheFillerOptions {
  /** The store; undefined if there is none. */
  readonly store: Pick<ImageStore, "contentOf" | "outcome" | "hasPixels" | "add"> | undefined;
  /** Results can be written to the store, else they are kept in memory. */
  readonly writable: boolean;
  /** Resized images are written too. */
  readonly storePixels: boolean;
  /** The pixel limit. */
  readonly maxPixels: number;
  /** Side of the resized images in pixels. */
  readonly side: number;
}

/** Options of {@linkcode CacheFiller.fill}. */
export interface FillOptions {
  readonly resizeImage: ResizeImage;
  /** Images to decode at once, beyond the one being stored. */
  readonly depth: number;
  /** Whether the disk has room for so many bytes more. */
  readonly hasRoom: (bytes: number) => Promise<boolean>;
  /** Is called if the disk turns out to be full: then no more resized images are stored. */
  readonly onFull: () => Promise<void>;
  /** Is called after each image. */
  readonly onImage: () => void;
  /** Aborts; images decoded so far are kept. */
  readonly signal?: AbortSignal | undefined;
}

/** An image that can be used, or the reason why a file cannot. */
export type FileImage = { readonly content: string } | { readonly reason: string };

/** A file whose image is not known. */
export interface UnknownFile {
  readonly file: ImageFile;
  readonly state: FileStateNow;
}

interface Decoded {
  readonly state: FileStateNow;
  readonly content?: string;
  readonly resized?: ResizedImage;
  readonly error?: ImageError;
}

/** Resized images between two transactions: a killed process loses no more. */
const TRANSACTION_BYTES = 8e6;
const TRANSACTION_IMAGES = 64;

/** Decodes the images that a store does not know. */
export class CacheFiller {
  readonly #options: CacheFillerOptions;
  #writable: boolean;
  #storePixels: boolean;
  /** Results of this process. */
  readonly #outcomes = new Map<string, Outcome>();
  readonly #contents = new Map<string, string>();
  /** Reasons for files that cannot be read, by key. They are not stored, since they may be temporary. */
  readonly #unread = new Map<string, string>();
  #pending: ImageEntry[] = [];

  constructor(options: CacheFillerOptions) {
    this.#options = options;
    this.#writable = options.writable;
    this.#storePixels = options.storePixels;
  }

  /** The files whose images must be decoded. An unusable image is tried again if the pixel limit was raised. */
  unknownFiles(found: readonly FoundFile[]): UnknownFile[] {
    return found.flatMap(({ example: file, state }) => {
      if (state instanceof ImageError) return [];
      const content = this.#contentOf(state);
      return content === undefined || !this.#isKnown(content) ? [{ file, state }] : [];
    });
  }

  /** The maximum number of bytes that the images of files take: unread files may hold duplicates or stored images. */
  bytesOf(files: readonly UnknownFile[]): number {
    return new Set(files.map(({ state }) => this.#contentOf(state) ?? fileKey(state))).size *
      resizedBytes(this.#options.side);
  }

  /** The image in a file, when all are known. */
  imageOf(state: FileStateNow): FileImage {
    const content = this.#contentOf(state);
    const outcome = content === undefined ? undefined : this.#outcome(content);
    const unread = this.#unread.get(fileKey(state));
    if (unread !== undefined) return { reason: unread };
    if (content === undefined || outcome === undefined) {
      return { reason: "another file with the same bytes changed while it was read, start again" };
    }
    if ("reason" in outcome) return outcome;
    const reason = tooManyPixels(outcome, this.#options.maxPixels);
    return reason === undefined ? { content } : { reason };
  }

  /**
   * Decodes images and stores what it finds. An image in several files is decoded once.
   *
   * @throws {InputError} If the store cannot be written for another reason than a full disk.
   */
  async fill(files: readonly UnknownFile[], options: FillOptions): Promise<void> {
    const { resizeImage, depth, onImage, signal } = options;
    const begun = new Set<string>();
    const decode = async ({ file, state }: UnknownFile): Promise<Decoded> => {
      signal?.throwIfAborted();
      let content: string | undefined;
      try {
        content = this.#contentOf(state) ?? await contentDigest(state);
        if (begun.has(content) || this.#isKnown(content)) return { state, content };
        begun.add(content);
        const resized = await resizeImage(file);
        return await hasChanged(file, state, content) ?? { state, content, resized };
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        return await hasChanged(file, state, content) ?? { state, ...(content !== undefined && { content }), error };
      }
    };
    try {
      for await (const decoded of readAhead(decode, files, depth)) {
        signal?.throwIfAborted();
        this.#keep(decoded);
        const bytes = this.#pendingBytes();
        if (bytes >= TRANSACTION_BYTES || this.#pending.length >= TRANSACTION_IMAGES) await this.#write(options);
        onImage();
      }
    } finally {
      await this.#write(options);
    }
  }

  #keep({ state, content, resized, error }: Decoded): void {
    if (content === undefined) return void this.#unread.set(fileKey(state), error?.reason ?? "");
    this.#contents.set(fileKey(state), content);
    const outcome = error === undefined
      ? resized && { width: resized.width, height: resized.height }
      : { reason: error.reason, kind: error.kind, maxPixels: this.#options.maxPixels };
    if (outcome !== undefined) this.#outcomes.set(content, outcome);
    this.#pending.push({
      content,
      outcome,
      // Its time of change cannot reveal another change within the same clock tick, so it is read again next time.
      file: state.fresh ? undefined : state,
      pixels: this.#storePixels ? resized?.pixels : undefined,
    });
  }

  /** Writes pending entries; after a full disk without pixels, and if that fails too, not at all. */
  async #write({ hasRoom, onFull }: FillOptions): Promise<void> {
    const stopStoring = async () => {
      this.#storePixels = false;
      this.#pending = this.#pending.map((entry) => ({ ...entry, pixels: undefined }));
      await onFull();
    };
    if (this.#storePixels && !await hasRoom(this.#pendingBytes())) await stopStoring();
    while (this.#writable && this.#pending.length > 0) {
      try {
        this.#options.store?.add(this.#pending);
        break;
      } catch (error) {
        if (!isDatabaseFull(error)) throw error;
        if (this.#storePixels) await stopStoring();
        else this.#writable = false;
      }
    }
    this.#pending = [];
  }

  #pendingBytes(): number {
    return this.#pending.reduce((sum, { pixels }) => sum + (pixels?.length ?? 0), 0);
  }

  #contentOf(state: FileStateNow): string | undefined {
    return this.#contents.get(fileKey(state)) ?? this.#options.store?.contentOf(state);
  }

  #outcome(content: string): Outcome | undefined {
    return this.#outcomes.get(content) ?? this.#options.store?.outcome(content);
  }

  /**
   * An image is known if its pixels are stored (or it is decodable, if none are to be stored), if it exceeds the pixel limit,
   * or if it cannot be used. It is tried again if the limit was raised, and each time if its decoder crashed or took too
   * long: the machine may have more memory or time another day.
   */
  #isKnown(content: string): boolean {
    const { store, maxPixels } = this.#options;
    const outcome = this.#outcome(content);
    if (outcome === undefined) return false;
    if ("reason" in outcome) return outcome.kind === "image" && maxPixels <= outcome.maxPixels;
    return !this.#storePixels || tooManyPixels(outcome, maxPixels) !== undefined || store?.hasPixels(content) === true;
  }
}

/** The error if a file has changed; undefined if it has not. */
async function hasChanged(
  file: ImageFile,
  state: FileStateNow,
  content: string | undefined,
): Promise<Decoded | undefined> {
  try {
    const same = sameState(await fileState(file), state);
    if (same && (!state.fresh || content === undefined || await contentDigest(state) === content)) return undefined;
    return { state, error: new ImageError("it changes while it is read, start again when it is whole") };
  } catch (error) {
    if (error instanceof ImageError) return { state, error };
    throw error;
  }
}
