import { type CheckpointMetadata, openCheckpoint } from "../checkpoint/checkpoint.ts";
import { loadTraining } from "../checkpoint/model_state.ts";
import type { Engine } from "../ffi/engine.ts";
import { InputError } from "../input_error.ts";
import { makeRecipe, RECIPE_NAMES } from "./recipe.ts";
import type { Progress } from "./progress.ts";

/** What a checkpoint must have in common with the run that resumes from it. */
export type ExpectedMetadata = Pick<CheckpointMetadata, "model" | "vocabulary" | "datasetFingerprint"> & {
  readonly training: Pick<NonNullable<CheckpointMetadata["training"]>, "settings" | "seed" | "examples">;
};

/** The position of a resumed run. */
export interface Resumed {
  readonly progress: Progress;
  /** The metrics of the last completed epoch. */
  readonly metrics: CheckpointMetadata["metrics"];
}

/**
 * Loads a model and its optimizer from a checkpoint.
 *
 * @param path The run's `last.safetensors`.
 * @param expected The run's data and settings.
 * @throws {InputError} If the file cannot be read, or belongs to other data or settings.
 */
export async function resumeTraining(
  engine: Pick<Engine, "tensors" | "write">,
  path: string,
  expected: ExpectedMetadata,
): Promise<Resumed> {
  using checkpoint = await openCheckpoint(path);
  const { metadata, tensors } = checkpoint;
  const { training, epoch, metrics } = metadata;
  if (training === undefined) {
    throw new InputError(`Cannot resume from '${path}': it has no training state`);
  }
  const differing = Object.entries({
    "the settings": [withDefaults(training.settings), expected.training.settings],
    "the seed": [training.seed, expected.training.seed],
    "the model": [metadata.model, expected.model],
    "the dataset's captions": [metadata.datasetFingerprint, expected.datasetFingerprint],
    "the vocabulary": [metadata.vocabulary, expected.vocabulary],
    "the images": [training.examples, expected.training.examples],
  }).filter(([, [there, now]]) => canonical(there) !== canonical(now)).map(([name]) => name);
  if (differing.length > 0) {
    throw new InputError(
      `Cannot resume from '${path}': ${
        differing.join(" and ")
      } differ from those it was trained with; give it what it ` +
        "was trained with, or train again",
    );
  }
  if (training.validationScores.length !== epoch) {
    throw new InputError(
      `Cannot resume from '${path}': it has scores of ${training.validationScores.length} of its ${epoch} epochs`,
    );
  }
  await loadTraining(engine, tensors, { source: path });
  const { validationScores, startScore, step, sums } = training;
  return { progress: { validationScores, startScore, step, sums }, metrics };
}

/** A setting that is newer than the checkpoint gets its default; one that no longer exists makes the settings differ. */
function withDefaults(settings: Readonly<Record<string, unknown>>): unknown {
  const { name, ...rest } = settings;
  const known = RECIPE_NAMES.find((recipe) => recipe === name);
  try {
    return known === undefined ? settings : makeRecipe(known, rest);
  } catch (error) {
    if (error instanceof InputError) return settings;
    throw error;
  }
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, inner) =>
      typeof inner === "object" && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => a < b ? -1 : 1))
        : inner,
  );
}
