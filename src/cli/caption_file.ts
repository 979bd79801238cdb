import { dirname, join, parse } from "node:path";
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

/**
 * Captions on their way into a file, which is written when this is disposed; without any, it is not. If they are not all
 * there, an existing file stays, and they go into a file beside it, `captions.partial.csv`.
 */
export interface CaptionFile extends AsyncDisposable {
  add(text: string): Promise<void>;
  /** Says that all captions were added. */
  complete(): void;
}

/**
 * Prepares the file of `--out`, before captions are computed for it.
 *
 * @throws {InputError} If it exists, or cannot be written in its folder.
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
  try {
    await Deno.remove(await Deno.makeTempFile({ dir: dirname(path), suffix: ".tmp" }));
  } catch (error) {
    if (errorCode(error) === "") throw error;
    throw new InputError(`Cannot write '${path}': ${fileErrorReason(error)}`, { cause: error });
  }
  const encoder = new TextEncoder();
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let isComplete = false;
  return {
    complete: () => void (isComplete = true),
    add: (text) => Promise.resolve(void (text !== "" && pieces.push(encoder.encode(text)))),
    async [Symbol.asyncDispose]() {
      if (pieces.length === 0) return;
      const { dir, name, ext } = parse(path);
      const replaces = existing === undefined || isComplete;
      const written = replaces ? path : join(dir, `${name}.partial${ext}`);
      await writeAtomic(written, pieces, { onlyNew: existing === undefined });
      note(`Captions: ${written}${replaces ? "" : `, not of all images; ${path} is as it was`}`);
    },
  };
}
