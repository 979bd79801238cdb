/**
 * What a killed process left of files that it was writing. Whose files they are is known here, and that nobody writes them
 * now; `old_temporaries.ts` removes anybody's, when they are old.
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
 * ```ts
 * import assert from "node:assert/strict";
 * import { removeStaleTemporaries } from "./stale_temporaries.ts";
 *
 * const run = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${run}/.last.safetensors.${crypto.randomUUID()}.tmp`, "half of it");
 * await removeStaleTemporaries(run, ["last.safetensors", "metrics.jsonl"]);
 * assert.deepEqual([...Deno.readDirSync(run)], []);
 * await Deno.remove(run);
 * ```
 */
export async function removeStaleTemporaries(folder: string, names: readonly string[]): Promise<void> {
  const files = names.map((name) => basename(name));
  await removeFiles(folder, (name) => files.some((file) => isTemporaryOf(file, name)));
}

/**
 * Removes files of a folder. Another process may be quicker.
 *
 * @param folder The folder; one that is not there has none.
 * @param isMeant Says of a file whether it is to be removed, by its name and its path.
 * @returns The paths of those that were removed.
 * @throws {InputError} The folder cannot be read, or a file not removed.
 */
export async function removeFiles(
  folder: string,
  isMeant: (name: string, path: string) => boolean | Promise<boolean>,
): Promise<string[]> {
  const names: string[] = [];
  await attempt("read", folder, async () => {
    for await (const { name, isFile } of Deno.readDir(folder)) if (isFile) names.push(name);
  });
  const removed: string[] = [];
  for (const name of names) {
    const path = join(folder, name);
    await attempt("remove", path, async () => {
      if (!await isMeant(name, path)) return;
      await Deno.remove(path);
      removed.push(path);
    });
  }
  return removed;
}

async function attempt(action: string, path: string, operation: () => Promise<void>): Promise<void> {
  try {
    await operation();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new InputError(`Cannot ${action} '${path}': ${fileErrorReason(error)}`, { cause: error });
  }
}
