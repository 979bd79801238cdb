/**
 * Going on with a training.
 *
 * @module
 */

import { type CheckpointMetadata, openCheckpoint } from "../checkpoint/checkpoint.ts";
import { loadTraining } from "../checkpoint/model_state.ts";
import type { Engine } from "../ffi/engine.ts";
import { InputError } from "../input_error.ts";
import { makeRecipe, RECIPE_NAMES } from "./recipe.ts";
import type { Progress } from "./train.ts";

/** What a checkpoint must have in common with the run that goes on from it. */
export type ExpectedMetadata = Pick<CheckpointMetadata, "model" | "vocabulary" | "datasetFingerprint"> & {
  readonly training: Pick<NonNullable<CheckpointMetadata["training"]>, "settings" | "seed" | "examples">;
};

/** Where a training stands, with the numbers of its last epoch. */
export interface Resumed {
  /** Where it stands. */
  readonly progress: Progress;
  /** The last completed epoch's numbers. */
  readonly metrics: CheckpointMetadata["metrics"];
}

/**
 * Sets a model and its optimizer to what a checkpoint holds.
 *
 * @param engine The model.
 * @param path The run's `last.safetensors`.
 * @param expected What the data and the settings are now.
 * @returns Where the training stands.
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
    throw new InputError(`Cannot resume from '${path}': it does not say where its training stands`);
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
        "was trained with, or train anew",
    );
  }
  if (training.validationScores.length !== epoch) {
    throw new InputError(
      `Cannot resume from '${path}': it judges ${training.validationScores.length} of its ${epoch} epochs`,
    );
  }
  await loadTraining(engine, tensors, { source: path });
  const { validationScores, step, sums } = training;
  return { progress: { validationScores, step, sums }, metrics };
}

/** A setting that came after the checkpoint was written has its default; one that is no more makes the settings differ. */
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
