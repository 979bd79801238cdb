import type { Example } from "../../data/dataset.ts";
import { ImageError } from "../../images/image_error.ts";
import { readAhead } from "../../read_ahead.ts";
import { fileState, type FileStateNow } from "./image_content.ts";

/** An example and its image file. */
export interface FoundFile {
  readonly example: Example;
  /** The file's state, or the reason it cannot be read. */
  readonly state: FileStateNow | ImageError;
}

export interface FindFilesOptions {
  /** The current time in milliseconds since 1970. */
  readonly now: () => number;
  /** Aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** Files to stat at once. */
const AHEAD = 32;

/** Reads the state of each example's image file, in order. A file that holds several images is read once. */
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
