/**
 * Decoding the images that a cache does not know yet, on all cores.
 *
 * @module
 */

import { ImageError } from "../../images/image_error.ts";
import type { ImageFile } from "../../images/image_file.ts";
import { readAhead } from "../../read_ahead.ts";
import type { CacheIndex } from "./cache_index.ts";
import { type CacheWriter, isDiskFull } from "./cache_writer.ts";
import { contentDigest, fileKey, fileState, type FileStateNow, sameState } from "./image_content.ts";
import type { ResizeImage, Square, Unknown } from "./unknown_images.ts";

/** Options of {@linkcode fillCache}. */
export interface FillCacheOptions {
  /** What the cache holds; kept up to date. */
  readonly index: CacheIndex;
  /** Says which images there is nothing known of. */
  readonly unknown: Unknown;
  /** Makes a square of an image file. */
  readonly resizeImage: ResizeImage;
  /** Images that are made at once, beyond the one that is being stored. */
  readonly depth: number;
  /** The limit of pixels. */
  readonly maxPixels: number;
  /** Writes it; undefined where nothing can be written: what is found out is then kept in `index` alone. */
  readonly writer: CacheWriter | undefined;
  /** Whether squares are stored. */
  readonly store: boolean;
  /** Called where the disk turns out to be full: then squares are stored no more, and those of this filling removed. */
  readonly onFull: () => void;
  /** Called after each image. */
  readonly onImage: () => void;
  /** Ends it; what was made until then is kept. */
  readonly signal?: AbortSignal | undefined;
}

/** A file that the cache does not know. */
export interface UnknownFile {
  /** The file. */
  readonly file: ImageFile;
  /** What it is now. */
  readonly state: FileStateNow;
}

interface Made {
  readonly state: FileStateNow;
  readonly content?: string;
  readonly side?: Square;
  readonly error?: ImageError;
}

/**
 * Decodes images and keeps what comes of it. An image that several files hold is decoded once.
 *
 * @param files The files.
 * @param options See {@linkcode FillCacheOptions}.
 * @returns What is wrong with files that could not be read, by their keys. It is not written down: it may pass.
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

  async function make({ file, state }: UnknownFile): Promise<Made> {
    signal?.throwIfAborted();
    let content: string | undefined;
    try {
      content = index.contentOf(state) ?? await contentDigest(state);
      if (begun.has(content) || !unknown(content)) return { state, content };
      begun.add(content);
      const side = await resizeImage(file);
      return await hasChanged(file, state, content) ?? { state, content, side };
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      return await hasChanged(file, state, content) ?? { state, ...(content !== undefined && { content }), error };
    }
  }

  async function keep({ state, content, side, error }: Made): Promise<void> {
    if (content === undefined) return void unread.set(fileKey(state), error?.reason ?? "");
    const { fresh, ...rest } = state;
    const line = { ...rest, content };
    index.addFile(line);
    // By its time alone a later change could not be told: next time it is read again.
    if (!fresh) await writer?.addFile(line);
    if (error !== undefined) {
      const bad = { ...line, reason: error.reason, kind: error.kind, maxPixels };
      if (writer !== undefined) return await writer.addBad(bad);
      index.forget(content);
      return index.addBad(bad);
    }
    if (side === undefined) return;
    const { pixels, ...size } = side;
    const image = { content, ...size };
    if (store && writer !== undefined) await writer.store(image, pixels);
    else if (index.image(content) === undefined) {
      index.addImage(image);
      await writer?.addImage(image);
    }
  }

  /** Goes on after a full disk: first without squares, then without any file. */
  async function keepOrGiveUp(made: Made): Promise<void> {
    try {
      return await keep(made);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
    }
    if (store) {
      store = false;
      onFull();
      try {
        await writer?.undoStoring();
        return await keep(made);
      } catch (error) {
        if (!isDiskFull(error)) throw error;
      }
    }
    writer = undefined;
    await keep(made);
  }

  try {
    for await (const made of readAhead(make, files, depth)) {
      signal?.throwIfAborted();
      await keepOrGiveUp(made);
      onImage();
    }
  } finally {
    await writer?.flush().catch((error) => {
      if (!isDiskFull(error)) throw error;
    });
  }
  return unread;
}

/** What is said of a file that is no longer as it was; undefined where it is. */
async function hasChanged(
  file: ImageFile,
  state: FileStateNow,
  content: string | undefined,
): Promise<Made | undefined> {
  try {
    const same = sameState(await fileState(file), state);
    if (same && (!state.fresh || content === undefined || await contentDigest(state) === content)) return undefined;
    return { state, error: new ImageError("it changes while it is read, start again when it is whole") };
  } catch (error) {
    if (error instanceof ImageError) return { state, error };
    throw error;
  }
}
