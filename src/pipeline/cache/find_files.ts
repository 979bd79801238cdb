/**
 * The state of many image files.
 *
 * @module
 */

import type { Example } from "../../data/dataset.ts";
import { ImageError } from "../../images/image_error.ts";
import { readAhead } from "../../read_ahead.ts";
import { fileState, type FileStateNow } from "./image_content.ts";

/** A image and its file. */
export interface FoundFile {
  /** The image. */
  readonly example: Example;
  /** What its file is now, or why it cannot be read. */
  readonly state: FileStateNow | ImageError;
}

/** Options of {@linkcode findFiles}. */
export interface FindFilesOptions {
  /** The present time in milliseconds since 1970. */
  readonly now: () => number;
  /** Ends the asking. */
  readonly signal?: AbortSignal | undefined;
}

/** Files that are asked for at once. */
const AHEAD = 32;

/**
 * Asks for the state of images' files; of a file that holds several, once.
 *
 * @param images The images.
 * @param options See {@linkcode FindFilesOptions}.
 * @returns All of them, in their order.
 */
export async function findFiles(
  examples: readonly Example[],
  { now, signal }: FindFilesOptions,
): Promise<FoundFile[]> {
  const infos = new Map<string, Promise<Deno.FileInfo>>();

  function stat(path: string): Promise<Deno.FileInfo> {
    const info = infos.get(path) ?? Deno.stat(path);
    infos.set(path, info);
    return info;
  }

  async function find(example: Example): Promise<FoundFile> {
    try {
      return { example, state: await fileState(example, { now, stat }) };
    } catch (error) {
      if (error instanceof ImageError) return { example, state: error };
      throw error;
    }
  }

  const found: FoundFile[] = [];
  for await (const file of readAhead(find, examples, AHEAD)) {
    signal?.throwIfAborted();
    found.push(file);
  }
  return found;
}
