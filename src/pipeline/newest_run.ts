import { join } from "node:path";
import { InputError } from "../input_error.ts";

/**
 * Finds the best checkpoint of the newest run.
 *
 * @param folder The folder of all runs.
 * @throws {InputError} If there is none.
 */
export async function newestCheckpoint(folder: string): Promise<string> {
  const found: { path: string; time: number }[] = [];
  try {
    for await (const run of Deno.readDir(folder)) {
      const path = join(folder, run.name, "best.safetensors");
      const time = await modified(path);
      if (time !== undefined) found.push({ path, time });
    }
  } catch (error) {
    if (!isNotThere(error)) throw error;
  }
  const newest = found.toSorted((a, b) => b.time - a.time)[0];
  if (newest !== undefined) return newest.path;
  throw new InputError(
    `Cannot choose a checkpoint: there is no run in '${folder}'; train one with deno task train, or give --checkpoint`,
  );
}

async function modified(path: string): Promise<number | undefined> {
  try {
    return (await Deno.stat(path)).mtime?.getTime();
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw error;
  }
}

function isNotThere(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}
