/**
 * What a killed process left of files that it was writing.
 *
 * @module
 */

import { basename, join } from "node:path";
import { InputError } from "../input_error.ts";
import { fileErrorReason } from "./file_error.ts";
import { isTemporaryOf } from "./write_atomic.ts";

/**
 * Removes the temporaries that {@linkcode writeAtomic} leaves where its process is killed: `.NAME.<uuid>.tmp` beside NAME.
 * Nothing else is removed. To be called while nobody writes those files: a temporary in use looks the same.
 *
 * @param folder The folder to be looked through; one that is not there has none.
 * @param names Names of the files in it that may have been written.
 * @throws {InputError} The folder cannot be read, or a temporary not removed.
 *
 * @example Before going on with a run
 * ```ts ignore
 * await removeStaleTemporaries("runs/first", ["last.safetensors", "metrics.jsonl"]);
 * ```
 */
export async function removeStaleTemporaries(folder: string, names: readonly string[]): Promise<void> {
  const files = names.map((name) => basename(name));
  for (const temporary of await temporariesIn(folder, files)) {
    const path = join(folder, temporary);
    try {
      await Deno.remove(path);
    } catch (error) {
      // Another process may have been quicker.
      if (error instanceof Deno.errors.NotFound) continue;
      throw failed("remove", path, error);
    }
  }
}

async function temporariesIn(folder: string, files: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (isFile && files.some((file) => isTemporaryOf(file, name))) found.push(name);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw failed("read", folder, error);
  }
  return found;
}

function failed(action: string, path: string, error: unknown): unknown {
  if (error instanceof Deno.errors.NotCapable) return error;
  return new InputError(`Cannot ${action} '${path}': ${fileErrorReason(error)}`, { cause: error });
}
