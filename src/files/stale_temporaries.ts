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
  const found: string[] = [];
  await attempt("read", folder, async () => {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (isFile && files.some((file) => isTemporaryOf(file, name))) found.push(name);
    }
  });
  for (const path of found.map((name) => join(folder, name))) await attempt("remove", path, () => Deno.remove(path));
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
