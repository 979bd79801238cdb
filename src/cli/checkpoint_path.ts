import { join } from "node:path";
import { isFile, isFolder } from "../files/list_folder.ts";
import { InputError } from "../input_error.ts";
import { SHIPPED_CHECKPOINT, SHIPPED_NAME } from "../pipeline/default_checkpoint.ts";
import { userPath } from "./command.ts";

/** Options of {@linkcode checkpointPath}. */
export interface CheckpointPathOptions {
  /**
   * Resolves a path against the user's working directory.
   *
   * @default {userPath}
   */
  readonly path?: (path: string) => string;
  /**
   * The model that ships.
   *
   * @default {the project's}
   */
  readonly shipped?: string;
}

/**
 * Finds the checkpoint that a user named: by its file, or by its run (`first` or `runs/first`), which stands for its best
 * checkpoint. The model that ships is found under its name from any folder.
 *
 * @returns An absolute path.
 * @throws {InputError} If there is no such file and no such run, or the run has no best checkpoint yet.
 */
export async function checkpointPath(
  given: string,
  { path = userPath, shipped = SHIPPED_CHECKPOINT }: CheckpointPathOptions = {},
): Promise<string> {
  const file = path(given);
  for (const run of [file, path(join("runs", given))]) {
    if (!await isFolder(run)) continue;
    const best = join(run, "best.safetensors");
    if (await isFile(best)) return best;
    if (await isFile(join(run, "config.json"))) {
      throw new InputError(`Cannot use the run '${run}': it has no best checkpoint yet; wait for its first epoch`);
    }
  }
  if (await isFile(file)) return file;
  if (given === SHIPPED_NAME && await isFile(shipped)) return shipped;
  throw new InputError(
    `Cannot find a checkpoint '${given}': there is no such file and no such run in 'runs'; check the path, or see ` +
      "deno task runs",
  );
}
