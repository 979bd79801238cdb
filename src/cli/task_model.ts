import { relative } from "node:path";
import { Captioner, type CaptionerOptions } from "../captioning/captioner.ts";
import { openModel } from "../captioning/open_model.ts";
import { describeModels, type ModelFacts, modelFacts, modelWarning } from "../checkpoint/model_facts.ts";
import {
  type DefaultCheckpoint,
  defaultCheckpoint,
  SHIPPED_CHECKPOINT,
  SHIPPED_NAME,
} from "../pipeline/default_checkpoint.ts";
import { checkpointPath } from "./checkpoint_path.ts";
import { userFolder, userPath } from "./command.ts";
import { printNote } from "./output.ts";

/** Options of {@linkcode loadTaskModel}. */
export interface LoadTaskModelOptions extends CaptionerOptions {
  /**
   * Receives a line about the model that is used, and warnings.
   *
   * @default {printNote}
   */
  readonly print?: (line: string) => void;
  /**
   * Whether to print only warnings.
   *
   * @default {false}
   */
  readonly quiet?: boolean;
}

/** The model of a task, and what is known of it. */
export interface TaskModel extends Disposable {
  readonly captioner: Captioner;
  readonly facts: ModelFacts;
  /** The checkpoints. */
  readonly paths: readonly string[];
}

/**
 * Loads the checkpoints that the user named, or else the default one, and says on standard error which it is.
 *
 * @throws {InputError} If no checkpoint is found, or a file cannot be used.
 */
export async function loadTaskModel(
  checkpoints: readonly string[],
  { print = printNote, quiet = false, vocabulary, ...options }: LoadTaskModelOptions,
): Promise<TaskModel> {
  using opened = new DisposableStack();
  const open = async (path: string) =>
    opened.use(await openModel(path, { vocabulary: vocabulary && userPath(vocabulary), warn: print }));
  const chosen: Pick<DefaultCheckpoint, "model" | "name" | "path" | "ships">[] = [];
  for (const given of checkpoints) {
    const path = await checkpointPath(given);
    const ships = path === SHIPPED_CHECKPOINT;
    chosen.push({ model: await open(path), name: ships ? SHIPPED_NAME : nameOf(path), path, ships });
  }
  if (checkpoints.length === 0) {
    const found = opened.use(await defaultCheckpoint(userPath("runs"), { warn: print }));
    chosen.push(vocabulary === undefined ? found : { ...found, model: await open(found.path) });
  }
  const captioner = await Captioner.fromModels(chosen.map(({ model }) => model), options);
  const models = chosen.map(({ model: { metadata }, name, ships }) => ({ name, ships, metadata }));
  if (!quiet) print(describeModels(models));
  for (const model of models) {
    const warning = modelWarning(model);
    if (warning !== undefined) print(warning);
  }
  return {
    captioner,
    facts: modelFacts(models),
    paths: chosen.map(({ path }) => path),
    [Symbol.dispose]: () => captioner[Symbol.dispose](),
  };
}

/** A path as the user would write it. */
export function nameOf(path: string): string {
  const inside = relative(userFolder(), path);
  return inside.startsWith("..") ? path : inside || ".";
}
