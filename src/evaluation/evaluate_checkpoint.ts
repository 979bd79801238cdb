import { assertSameOnAllRanks } from "../distributed/assert_same.ts";
import { Captioner } from "../captioning/captioner.ts";
import type { TrainingGroup } from "../distributed/process_group.ts";
import { evaluateModel, type ModelCaptions } from "./evaluate_model.ts";
import { type ScoringTokenizer, scoringTokenizer } from "./scoring_tokenizer.ts";
import { InputError } from "../input_error.ts";
import type { Reporter } from "../reporter.ts";
import type { DecodingOptions } from "../captioning/decoding_options.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import { checkpointSplit, type SPLIT_NAMES } from "./checkpoint_split.ts";
import { type DatasetOptions, readDataset } from "../data/dataset.ts";

/** A checkpoint's captions of a split. */
export interface CheckpointCaptions extends ModelCaptions {
  /** The split. */
  readonly split: typeof SPLIT_NAMES[number];
  /** The captions of the training set. */
  readonly trainingCaptions: readonly string[];
  /** The tokenizer for scoring. */
  readonly tokenizer: ScoringTokenizer;
}

/** Options of {@linkcode evaluateCheckpoint}. */
export interface EvaluatedCheckpoint {
  /** The checkpoints; several form an ensemble. */
  readonly checkpoint: readonly string[];
  /** The vocabulary file of weights that come without one. */
  readonly vocabulary: string | undefined;
  /** Device, precision and threads. */
  readonly engine: EngineOptions;
  /** The dataset. */
  readonly dataset: DatasetOptions & { readonly maxPixels?: number | undefined };
  /** The split to caption. */
  readonly split: typeof SPLIT_NAMES[number];
  /** How captions are decoded. */
  readonly decoding: DecodingOptions;
}

/**
 * Captions a split of a dataset.
 *
 * @throws {InputError} If the model or the data cannot be read, or no image can be captioned.
 */
export async function evaluateCheckpoint(
  options: EvaluatedCheckpoint,
  { reporter, signal, group }: {
    readonly reporter: Pick<Reporter, "warn" | "progress">;
    readonly signal: AbortSignal;
    readonly group: TrainingGroup;
  },
): Promise<CheckpointCaptions> {
  const { checkpoint, vocabulary, engine, dataset: { maxPixels, ...source }, split, decoding } = options;
  const dataset = await readDataset(source);
  const warn = (line: string) => reporter.warn(line);
  using captioner = await Captioner.load(checkpoint, { ...engine, gpu: group.localRank, vocabulary, warn });
  await assertSameOnAllRanks(group, {
    "the checkpoint": captioner.metadata,
    "the captions": dataset.fingerprint,
    split,
    decoding,
  });
  const { examples, trainingExamples, notes } = checkpointSplit(dataset, split, captioner.metadata);
  for (const line of notes) reporter.warn(line);
  const onProgress = (done: number, total: number) => reporter.progress("Captioning", done, total);
  const found = await evaluateModel(captioner, examples, { decoding, maxPixels, onProgress, signal, group });
  if (found.captions.length === 0) {
    throw new InputError(
      `Cannot evaluate: none of ${examples.length} images can be captioned: ${found.problems[0]}`,
    );
  }
  return {
    ...found,
    split,
    trainingCaptions: trainingExamples.flatMap(({ captions }) => captions),
    tokenizer: scoringTokenizer(captioner.metadata.decoding.tokenizer ?? "nltk"),
  };
}
