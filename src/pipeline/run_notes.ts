import { describeRejected } from "../data/formats/caption_rows.ts";
import type { Dataset } from "../data/dataset.ts";
import { describeCaptionFiles, describeRenamed, describeSplit } from "../data/describe_dataset.ts";
import { stagesOf } from "../ffi/encoders.ts";
import type { Engine } from "../ffi/engine.ts";
import { printable, quoted } from "../printable.ts";
import type { Reporter } from "../reporter.ts";
import { isOutOfPatience, type Progress } from "./progress.ts";
import type { Recipe } from "./recipe.ts";
import type { TrainingImages } from "./training_source.ts";
import type { RunConfig } from "./run_folder.ts";
import type { TrainingData } from "./training_data.ts";
import { wordWarnings } from "./word_warnings.ts";

/** What {@linkcode noteData} describes. */
export interface NoteDataOptions {
  readonly dataset: Dataset;
  readonly data: TrainingData;
  readonly images: TrainingImages;
  readonly recipe: Recipe;
  /** The seed of a random split. */
  readonly seed: number;
  readonly engine: Pick<Engine, "device" | "precision">;
  readonly reporter: Reporter;
}

/** Says what a run trains on: dataset, splits, what was skipped and why, model. */
export function noteData({ dataset, data, images, recipe, seed, engine, reporter }: NoteDataOptions): void {
  const { train, validation, test, skipped } = data.splits;
  const unit = recipe.splitBy === "caption" ? "captions" : "images";
  const official = recipe.splitBy === "image" && dataset.officialSplits !== undefined;
  const origin = dataset.format === undefined
    ? ""
    : `; ${dataset.format} format, ${official ? "official" : "random"} split`;
  reporter.note(
    `Data: ${dataset.examples.length} images, ${dataset.rows.length} captions; ${unit} in train ${train.length}, ` +
      `validation ${validation.length}, test ${test.length}; ${data.vocabulary.size} words${origin}`,
  );
  if (dataset.format !== undefined) {
    reporter.note(`Captions: ${describeCaptionFiles(dataset)}`);
    reporter.note(`Split: ${describeSplit(dataset, { splitBy: recipe.splitBy, seed })}`);
    const renamed = describeRenamed(dataset);
    if (renamed !== undefined) reporter.note(`Images: ${renamed}`);
  }
  for (const remark of [...dataset.remarks ?? [], ...wordWarnings(data, recipe)]) {
    reporter.warn(`Warning: ${printable(remark)}`);
  }
  const [rejected] = dataset.rejected ?? [];
  if (rejected !== undefined) {
    reporter.warn(`Skipped ${count(dataset.rejected ?? [], "unusable row")}, the first: ${describeRejected(rejected)}`);
  }
  const [missing] = dataset.missing;
  if (missing !== undefined) {
    reporter.warn(`Skipped ${count(dataset.missing, "missing image")}, the first: ${quoted(missing)}`);
  }
  const [broken] = images.broken;
  if (broken !== undefined) {
    reporter.warn(
      `Skipped ${count(images.broken, "broken image")}, the first: ${quoted(broken.path)}: ${broken.reason}`,
    );
  }
  if (skipped > 0) reporter.warn(`Skipped ${skipped} images that are in no official split`);
  if (recipe.minVocabulary > 0 && data.vocabulary.size > recipe.minVocabulary) {
    reporter.note(
      `The dataset has ${data.vocabulary.size} words: the output layer has as many rows, not ${recipe.minVocabulary}`,
    );
  }
  reporter.note(`Model: ${recipe.name} recipe on ${engine.device} in ${engine.precision}; ${encoderStages(recipe)}`);
}

function count({ length }: readonly unknown[], noun: string): string {
  return `${length} ${noun}${length === 1 ? "" : "s"}`;
}

/** When the encoder is trained. */
function encoderStages(recipe: Recipe): string {
  const { epochs, frozenEpochs, trainableFrom } = recipe;
  const part = trainableFrom === stagesOf(recipe)[0] ? "" : ` from ${trainableFrom}`;
  if (frozenEpochs >= epochs) return "encoder frozen";
  if (frozenEpochs === 0) return `encoder trained${part} from the first epoch`;
  return `encoder frozen for ${frozenEpochs} of ${epochs} epochs, then fine-tuned${part}`;
}

/** Says where a run resumes. */
export function noteResumption(recipe: Recipe, from: Progress | undefined, reporter: Reporter): void {
  const done = from?.validationScores.length ?? 0;
  if (done >= recipe.epochs) return reporter.note(`All ${recipe.epochs} epochs are done`);
  if (from !== undefined && isOutOfPatience(recipe, from)) return;
  reporter.note(`Resuming in epoch ${done + 1} after step ${from?.step ?? 0}`);
}

/** Warns that a resumed run will end with other numbers, if it computes in another way than it started. */
export function warnIfNumericsDiffer(
  config: RunConfig,
  engine: Pick<Engine, "device" | "precision" | "threads">,
  reporter: Reporter,
): void {
  for (const name of ["device", "precision", "threads"] as const) {
    if (engine[name] === config[name]) continue;
    reporter.warn(
      `Warning: the run started with --${name} ${config[name]}; with ${engine[name]} its results will differ`,
    );
  }
}
