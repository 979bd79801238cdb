import type { CheckpointMetadata } from "../checkpoint/checkpoint.ts";
import { InputError } from "../input_error.ts";
import type { Dataset, Example } from "../data/dataset.ts";
import { splitByImage, splitOfficially } from "../data/splits.ts";

/** The splits of a dataset, or all of it. */
export const SPLIT_NAMES = ["train", "validation", "test", "all"] as const;

/** The name of a split. */
export type SplitName = typeof SPLIT_NAMES[number];

/** The examples of a split. */
export interface CheckpointSplit {
  /** The examples. */
  readonly examples: readonly Example[];
  /** The training set of a model of this split; empty for the whole dataset. */
  readonly trainingExamples: readonly Example[];
  /** Warnings for the user. */
  readonly notes: readonly string[];
}

/**
 * Splits a dataset as in the training of a checkpoint.
 *
 * @param metadata The checkpoint's metadata; empty for another program's weights.
 * @throws {InputError} If the dataset cannot be split.
 */
export function checkpointSplit(
  dataset: Dataset,
  split: SplitName,
  metadata: Partial<Pick<CheckpointMetadata, "splitBy" | "datasetFingerprint" | "splitSeed">>,
): CheckpointSplit {
  const { examples, officialSplits } = dataset;
  if (split === "all") return { examples, trainingExamples: [], notes: [] };
  const { splitSeed, splitBy, datasetFingerprint } = metadata;
  if (officialSplits === undefined && splitSeed === undefined) {
    throw new InputError(
      `Cannot find the ${split} split: the dataset has no official split, and the model does not store a split seed; use ` +
        "--split all",
    );
  }
  const parts = officialSplits !== undefined
    ? splitOfficially(examples, officialSplits)
    : splitByImage(examples, { seed: splitSeed ?? 0 });
  if (parts[split].length === 0) throw new InputError(`Cannot evaluate: the ${split} split has no image here`);
  const notes: string[] = [];
  if (splitBy === "caption") {
    notes.push("Warning: the model's data was split by caption, so these images are in its training set");
  } else if (officialSplits === undefined && datasetFingerprint !== dataset.fingerprint) {
    notes.push(
      "Warning: the model was trained on other data or a part of it; these images may be in its training set",
    );
  }
  return { examples: parts[split], trainingExamples: parts.train, notes };
}
