import { ImageError } from "../../images/image_error.ts";
import type { ImageFile } from "../../images/image_file.ts";
import { readAhead } from "../../read_ahead.ts";
import type { CacheIndex } from "./cache_index.ts";
import { type CacheWriter, isDiskFull } from "./cache_writer.ts";
import { contentDigest, fileKey, fileState, type FileStateNow, sameState } from "./image_content.ts";
import type { ResizedImage, ResizeImage, Unknown } from "./unknown_images.ts";

export interface FillCacheOptions {
  /** The cache's index; updated. */
  readonly index: CacheIndex;
  /** Tells whether an image must be decoded. */
  readonly unknown: Unknown;
  readonly resizeImage: ResizeImage;
  /** Images to decode at once, beyond the one being stored. */
  readonly depth: number;
  /** The pixel limit. */
  readonly maxPixels: number;
  /** Undefined if nothing can be written: then results are kept only in `index`. */
  readonly writer: CacheWriter | undefined;
  /** Store resized images. */
  readonly store: boolean;
  /**
   * Called if the disk turns out to be full. Then no more resized images are stored, and those of this call are
   * removed.
   */
  readonly onFull: () => void;
  /** Called after each image. */
  readonly onImage: () => void;
  /** Aborts; images decoded so far are kept. */
  readonly signal?: AbortSignal | undefined;
}

/** A file that the cache does not know. */
export interface UnknownFile {
  readonly file: ImageFile;
  readonly state: FileStateNow;
}

interface Filled {
  readonly state: FileStateNow;
  readonly content?: string;
  readonly resized?: ResizedImage;
  readonly error?: ImageError;
}

/**
 * Decodes images and records the results. An image in several files is decoded once.
 *
 * @returns The reasons for unreadable files, by file key. They are not recorded, since they may be temporary.
 * @throws {InputError} If the cache cannot be written for another reason than a full disk.
 */
export async function fillCache(
  files: readonly UnknownFile[],
  options: FillCacheOptions,
): Promise<ReadonlyMap<string, string>> {
  const { index, unknown, resizeImage, depth, maxPixels, onFull, onImage, signal } = options;
  let { writer, store } = options;
  const unread = new Map<string, string>();
  const begun = new Set<string>();

  async function decode({ file, state }: UnknownFile): Promise<Filled> {
    signal?.throwIfAborted();
    let content: string | undefined;
    try {
      content = index.contentOf(state) ?? await contentDigest(state);
      if (begun.has(content) || !unknown(content)) return { state, content };
      begun.add(content);
      const resized = await resizeImage(file);
      return await hasChanged(file, state, content) ?? { state, content, resized };
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      return await hasChanged(file, state, content) ?? { state, ...(content !== undefined && { content }), error };
    }
  }

  async function keep({ state, content, resized, error }: Filled): Promise<void> {
    if (content === undefined) return void unread.set(fileKey(state), error?.reason ?? "");
    const { fresh, ...rest } = state;
    const line = { ...rest, content };
    index.addFile(line);
    // Its time of change cannot reveal another change within the same clock tick, so it is read again next time.
    if (!fresh) await writer?.addFile(line);
    if (error !== undefined) {
      const bad = { ...line, reason: error.reason, kind: error.kind, maxPixels };
      if (writer !== undefined) return await writer.addBad(bad);
      index.forget(content);
      return index.addBad(bad);
    }
    if (resized === undefined) return;
    const { pixels, ...size } = resized;
    const image = { content, ...size };
    if (store && writer !== undefined) await writer.store(image, pixels);
    else if (index.image(content) === undefined) {
      index.addImage(image);
      await writer?.addImage(image);
    }
  }

  /** Continues after a full disk: first without storing resized images, then without any file. */
  async function keepOrGiveUp(filled: Filled): Promise<void> {
    try {
      return await keep(filled);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
    }
    if (store) {
      store = false;
      onFull();
      try {
        await writer?.undoStoring();
        return await keep(filled);
      } catch (error) {
        if (!isDiskFull(error)) throw error;
      }
    }
    writer = undefined;
    await keep(filled);
  }

  try {
    for await (const filled of readAhead(decode, files, depth)) {
      signal?.throwIfAborted();
      await keepOrGiveUp(filled);
      onImage();
    }
  } finally {
    await writer?.flush().catch((error) => {
      if (!isDiskFull(error)) throw error;
    });
  }
  return unread;
}

/** The error if a file has changed; undefined if it has not. */
async function hasChanged(
  file: ImageFile,
  state: FileStateNow,
  content: string | undefined,
): Promise<Filled | undefined> {
  try {
    const same = sameState(await fileState(file), state);
    if (same && (!state.fresh || content === undefined || await contentDigest(state) === content)) return undefined;
    return { state, error: new ImageError("it changes while it is read, start again when it is whole") };
  } catch (error) {
    if (error instanceof ImageError) return { state, error };
    throw error;
  }
}
