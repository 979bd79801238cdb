import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type OpenModel, openModel } from "../captioning/open_model.ts";
import { InputError } from "../input_error.ts";
import { presetOf, RECIPE_NAMES } from "./recipe.ts";

/** The name of the model that ships: its path in the project. */
export const SHIPPED_NAME = "models/flickr8k.safetensors";
/** Where it is. */
export const SHIPPED_CHECKPOINT: string = fileURLToPath(new URL(`../../${SHIPPED_NAME}`, import.meta.url));

/** Options of {@linkcode defaultCheckpoint}. */
export interface DefaultCheckpointOptions {
  /** Receives a line for each checkpoint that cannot be read. */
  readonly warn: (line: string) => void;
  /**
   * The model that ships.
   *
   * @default {the project's}
   */
  readonly shipped?: string;
}

/** The checkpoint that tasks use without `--checkpoint`, open: close it with `using`. */
export interface DefaultCheckpoint extends Disposable {
  readonly path: string;
  readonly model: OpenModel;
  /** Its run, relative to the folder that holds the folder of all runs; or the file that ships. */
  readonly name: string;
  /** Whether it comes with lrcn. */
  readonly ships: boolean;
}

/**
 * Chooses a checkpoint: the best of the newest run, else the one that ships. Models of rendered scenes are never chosen,
 * and neither are files that cannot be read.
 *
 * @param folder The folder of all runs.
 * @throws {InputError} If no checkpoint is found.
 */
export async function defaultCheckpoint(
  folder: string,
  { warn, shipped = SHIPPED_CHECKPOINT }: DefaultCheckpointOptions,
): Promise<DefaultCheckpoint> {
  let rendered = false;
  for (const { run, path } of await newestFirst(folder)) {
    const model = await openIfUsable(path, warn);
    if (model !== undefined && !rendersData(model)) return opened(model, { name: join("runs", run), ships: false });
    rendered ||= model !== undefined;
    model?.[Symbol.dispose]();
  }
  const model = await modified(shipped) === undefined ? undefined : await openIfUsable(shipped, warn);
  if (model !== undefined) return opened(model, { name: SHIPPED_NAME, ships: true });
  const reason = rendered
    ? `models of rendered scenes, as in '${folder}', are used by --checkpoint only, and no other is there`
    : `there is no usable run in '${folder}', and no '${SHIPPED_NAME}' in the project`;
  throw new InputError(
    `Cannot choose a checkpoint: ${reason}; train one with deno task train --data DIR, or give --checkpoint FILE`,
  );
}

/** The best checkpoints of all runs. */
async function newestFirst(folder: string): Promise<{ readonly run: string; readonly path: string }[]> {
  const found: { run: string; path: string; time: number }[] = [];
  try {
    for await (const { name: run } of Deno.readDir(folder)) {
      const path = join(folder, run, "best.safetensors");
      const time = await modified(path);
      if (time !== undefined) found.push({ run, path, time });
    }
  } catch (error) {
    if (!isNotThere(error)) throw error;
  }
  return found.toSorted((a, b) => b.time - a.time);
}

function opened(model: OpenModel, { name, ships }: Pick<DefaultCheckpoint, "name" | "ships">): DefaultCheckpoint {
  return { path: model.path, model, name, ships, [Symbol.dispose]: () => model[Symbol.dispose]() };
}

async function openIfUsable(path: string, warn: (line: string) => void): Promise<OpenModel | undefined> {
  try {
    return await openModel(path);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    warn(`Warning: skipped a checkpoint: ${error.message}`);
    return undefined;
  }
}

/** Whether a model's images are rendered scenes instead of photos. */
function rendersData({ metadata }: OpenModel): boolean {
  const recipe = RECIPE_NAMES.find((name) => name === metadata.recipe);
  return recipe !== undefined && presetOf(recipe).rendersData;
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
