import { dirname } from "node:path";
import { errorCode, fileErrorReason } from "../files/file_error.ts";
import { isFolder } from "../files/list_folder.ts";
import { writeAtomic } from "../files/write_atomic.ts";
import { InputError } from "../input_error.ts";

/** Options of {@linkcode openCaptionFile}. */
export interface OpenCaptionFileOptions {
  /**
   * Replace an existing file.
   *
   * @default {false}
   */
  readonly force?: boolean;
  /** Receives a line about the file that was written. */
  readonly note: (line: string) => void;
}

/** Captions on their way into a file, which is written when this is disposed; without any, it is not. */
export interface CaptionFile extends AsyncDisposable {
  add(text: string): Promise<void>;
}

/**
 * Prepares the file of `--out`, before captions are computed for it.
 *
 * @throws {InputError} If it exists, or its folder does not.
 */
export async function openCaptionFile(path: string, options: OpenCaptionFileOptions): Promise<CaptionFile> {
  const { force = false, note } = options;
  const existing = await Deno.stat(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (errorCode(error) === "") throw error;
    throw new InputError(`Cannot write '${path}': ${fileErrorReason(error)}`, { cause: error });
  });
  if (existing !== undefined && (!force || !existing.isFile)) {
    const remedy = existing.isFile ? "choose another or replace it with --force" : "choose another";
    throw new InputError(`Cannot write '${path}': it exists already; ${remedy}`);
  }
  if (!await isFolder(dirname(path))) {
    throw new InputError(`Cannot write '${path}': there is no folder '${dirname(path)}'; create it or choose another`);
  }
  const encoder = new TextEncoder();
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  return {
    add: (text) => Promise.resolve(void (text !== "" && pieces.push(encoder.encode(text)))),
    async [Symbol.asyncDispose]() {
      if (pieces.length === 0) return;
      await writeAtomic(path, pieces);
      note(`Captions: ${path}`);
    },
  };
}
