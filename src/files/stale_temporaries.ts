// Removes temporaries of known files that nobody is writing now; `old_temporaries.ts` removes anybody's by age.

import { basename, join } from "node:path";
import { InputError } from "../input_error.ts";
import { fileErrorReason } from "./file_error.ts";
import { isTemporaryOf } from "./write_atomic.ts";

/**
 * Removes the temporaries that {@linkcode writeAtomic} leaves if its process is killed: `.NAME.<uuid>.tmp` beside NAME.
 * Call it only while nobody writes those files: a temporary in use looks the same.
 *
 * @param folder The folder to search; a missing one has none.
 * @param names Names of the files that may have been written.
 * @throws {InputError} If the folder cannot be read, or a temporary cannot be removed.
 *
 * @example Before resuming a run
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
 * Removes the matching files of a folder and returns their paths. Another process may remove them first.
 *
 * @param folder The folder; a missing one has none.
 * @throws {InputError} If the folder cannot be read, or a file cannot be removed.
 */
export async function removeFiles(
  folder: string,
  matches: (name: string, path: string) => boolean | Promise<boolean>,
): Promise<string[]> {
  const names: string[] = [];
  await attempt("read", folder, async () => {
    for await (const { name, isFile } of Deno.readDir(folder)) if (isFile) names.push(name);
  });
  const removed: string[] = [];
  for (const name of names) {
    const path = join(folder, name);
    await attempt("remove", path, async () => {
      if (!await matches(name, path)) return;
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
