/**
 * The images that a trained model is to be judged by.
 *
 * @module
 */

import type { CheckpointMetadata } from "../checkpoint/checkpoint.ts";
import { InputError } from "../input_error.ts";
import type { Dataset, Example } from "../data/dataset.ts";
import { splitByImage, splitOfficially } from "../data/splits.ts";

/** The parts of a dataset, or all of it. */
export const SPLIT_NAMES = ["train", "validation", "test", "all"] as const;

/** The name of a part. */
export type SplitName = typeof SPLIT_NAMES[number];

/** The images of a part, and what to know of them. */
export interface CheckpointSplit {
  /** The images. */
  readonly examples: readonly Example[];
  /** Those that a model of this split has learnt from; none for the whole dataset. */
  readonly trainingExamples: readonly Example[];
  /** What the user should know. */
  readonly notes: readonly string[];
}

/**
 * Splits a dataset as the training of a checkpoint did.
 *
 * @param dataset The dataset.
 * @param split The part.
 * @param metadata What the checkpoint says of its data; nothing for another program's weights.
 * @returns The part's images.
 * @throws {InputError} If the dataset cannot be split.
 */
export function checkpointSplit(
  dataset: Dataset,
  split: SplitName,
  metadata: Partial<Pick<CheckpointMetadata, "recipe" | "datasetFingerprint" | "splitSeed">>,
): CheckpointSplit {
  const { examples, officialSplits } = dataset;
  if (split === "all") return { examples, trainingExamples: [], notes: [] };
  const { splitSeed, recipe, datasetFingerprint } = metadata;
  if (officialSplits === undefined && splitSeed === undefined) {
    throw new InputError(
      `Cannot find the ${split} split: the dataset has none of its own, and the model does not say how it was split; give ` +
        "--split all",
    );
  }
  const parts = officialSplits !== undefined
    ? splitOfficially(examples, officialSplits)
    : splitByImage(examples, { seed: splitSeed ?? 0 });
  if (parts[split].length === 0) throw new InputError(`Cannot evaluate: the ${split} split has no image here`);
  const notes: string[] = [];
  if (recipe === "notebook") {
    notes.push("Warning: the notebook recipe splits captions, so that the model has learnt from these images");
  } else if (officialSplits === undefined && datasetFingerprint !== dataset.fingerprint) {
    notes.push(
      "Warning: the model was trained on other data or a part of it; it may have learnt from these images",
    );
  }
  return { examples: parts[split], trainingExamples: parts.train, notes };
}
