/**
 * Everything that will go wrong in a training, before it does: the same way as training goes, up to its first steps.
 *
 * @module
 */

import { join } from "node:path";
import { loadEncoderWeights } from "../checkpoint/encoder_weights.ts";
import { Engine } from "../ffi/engine.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import { EngineError } from "../ffi/status.ts";
import { InputError } from "../input_error.ts";
import type { freeBytes } from "../files/free_space.ts";
import type { Dataset } from "../data/dataset.ts";
import { describeRejected } from "../data/formats/caption_rows.ts";
import { dryRunLargestBatch, refuseBatchOfOne } from "../pipeline/dry_run.ts";
import type { BrokenImage } from "../pipeline/cache/image_cache.ts";
import type { Recipe } from "../pipeline/recipe.ts";
import { modelSettings } from "../pipeline/run_model.ts";
import { keepDecoded, prepareTrainingData } from "../pipeline/training_data.ts";
import type { TrainingSource } from "../pipeline/training_run.ts";
import type { Reporter } from "../reporter.ts";
import { checkOut } from "./check_out.ts";
import { type CaptionsExamination, examineCaptions } from "./examine_captions.ts";
import { type Duplicates, findDuplicates, imagesInTwoSplits } from "./examine_splits.ts";
import { spaceErrors, type SpaceExamination, spaceNeeded } from "./space_needed.ts";
import { type SpeedExamination, timeSteps } from "./time_steps.ts";

/** What lies in the dataset's files. */
export interface DataExamination {
  /** The format of the captions. */
  readonly format: string;
  /** Images whose files are there. */
  readonly images: number;
  /** Their captions. */
  readonly captions: number;
  /** Rows that cannot be used, and why. */
  readonly rejected: readonly string[];
  /** Images that captions name and that are not there. */
  readonly missing: readonly string[];
}

/** How the dataset is split, with the images that can be decoded once they are known. */
export interface SplitsExamination {
  /** Whether the dataset has a split of its own. */
  readonly kind: "official" | "random";
  /** What is counted. */
  readonly unit: "examples" | "captions";
  /** Learnt from. */
  readonly train: number;
  /** Validated on. */
  readonly validation: number;
  /** Kept for the last word. */
  readonly test: number;
  /** In no list. */
  readonly skipped: number;
  /** Names of images that two splits have. */
  readonly inTwoSplits: readonly string[];
  /** Names that several official lists have; each stays in one, the test's before the others. */
  readonly inSeveralLists: readonly string[];
}

/** The images. */
export interface ImagesExamination {
  /** Those that can be decoded. */
  readonly usable: number;
  /** The others. */
  readonly broken: readonly BrokenImage[];
  /** Those with the same bytes. */
  readonly duplicates: Duplicates;
}

/** Where it computes, and what that takes. */
export interface ComputeExamination {
  /** The device. */
  readonly device: string;
  /** The arithmetic. */
  readonly precision: string;
  /** CPU threads. */
  readonly threads: number;
  /** The most bytes in libtorch's tensors during the steps. */
  readonly peakMemory: number;
  /** Bytes that the device had left before the steps; absent where that is not known, as on a GPU. */
  readonly memoryLeft?: number;
}

/** What {@linkcode examine} finds. Where training could not get so far, later parts are absent. */
export interface Examination {
  /** The dataset. */
  readonly data?: DataExamination;
  /** Its splits. */
  readonly splits?: SplitsExamination;
  /** Its captions. */
  readonly captions?: CaptionsExamination;
  /** Its images. */
  readonly images?: ImagesExamination;
  /** What the disk must hold. */
  readonly space?: SpaceExamination;
  /** Where it computes. */
  readonly compute?: ComputeExamination;
  /** How fast. */
  readonly speed?: SpeedExamination;
  /** What will hurt. */
  readonly warnings: readonly string[];
  /** Why training cannot run. */
  readonly errors: readonly string[];
}

/** Options of {@linkcode examine}. */
export interface ExamineOptions extends EngineOptions {
  /** Opens the dataset. */
  readonly openSource: () => Promise<TrainingSource>;
  /** The settings. */
  readonly recipe: Recipe;
  /** The seed. */
  readonly seed: number;
  /** The file of the CNN's first weights. */
  readonly encoderWeights: string | undefined;
  /** The folder of the caches. */
  readonly cache: string;
  /**
   * Whether decoded images are kept there.
   *
   * @default {true}
   */
  readonly keepImages?: boolean;
  /** The folder that a run would get. */
  readonly out: string;
  /** Where it tells what it does; notes become warnings. */
  readonly reporter: Pick<Reporter, "progress">;
  /** Ends the examination with its reason. */
  readonly signal: AbortSignal;
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
  /**
   * Bytes that the machine's memory has left.
   *
   * @default {not known}
   */
  readonly memoryLeft?: () => number | undefined;
  /**
   * Bytes that a folder's disk has left.
   *
   * @default {asks the system}
   */
  readonly free?: typeof freeBytes;
}

/** More unknown words than these make captions poor. */
const MOST_UNKNOWN = 0.05;

type Findings = Omit<Examination, "warnings" | "errors">;
type Draft = { -readonly [Part in keyof Findings]: Findings[Part] };

/**
 * Examines a dataset as a training would use it. Decoded images stay in the cache, for the training that follows.
 *
 * @param options See {@linkcode ExamineOptions}.
 * @returns What was found; nothing of it is thrown.
 */
export async function examine(options: ExamineOptions): Promise<Examination> {
  const found: Draft = {};
  const warnings: string[] = [];
  const errors: string[] = [];
  try {
    await goThrough(options, { found, warnings });
  } catch (error) {
    if (!(error instanceof InputError || error instanceof EngineError)) throw error;
    errors.push(error.message);
  }
  if (found.space !== undefined) errors.push(...spaceErrors(found.space));
  const taken = await checkOut(options.out);
  if (taken !== undefined) errors.push(taken);
  return { ...found, warnings, errors };
}

async function goThrough(
  options: ExamineOptions,
  { found, warnings }: { readonly found: Draft; readonly warnings: string[] },
): Promise<void> {
  const { recipe, seed, signal, encoderWeights, now, memoryLeft, free } = options;
  const source = await options.openSource();
  const { dataset } = source;
  found.data = examineData(dataset);
  warnings.push(...dataWarnings(found.data));

  const data = prepareTrainingData(dataset, recipe, seed);
  const examineSplits = (splits: typeof data.splits): SplitsExamination => ({
    kind: dataset.officialSplits === undefined ? "random" : "official",
    unit: recipe.name === "notebook" ? "captions" : "examples",
    ...{ train: splits.train.length, validation: splits.validation.length, test: splits.test.length },
    skipped: splits.skipped,
    inTwoSplits: imagesInTwoSplits(splits),
    inSeveralLists: dataset.inSeveralLists ?? [],
  });
  found.splits = examineSplits(data.splits);
  found.captions = examineCaptions(dataset, data, recipe);
  warnings.push(...splitWarnings(found.splits), ...captionWarnings(found.captions, recipe));

  using engine = await Engine.open(modelSettings(recipe, data.vocabulary.size), {
    ...options,
    initialization: recipe.name === "notebook" ? "drawn" : "zero-padding",
  });
  if (encoderWeights !== undefined) await loadEncoderWeights(engine, encoderWeights);
  const reporter: Reporter = {
    note: (line) => warnings.push(line),
    progress: (task, done, total) => options.reporter.progress(task, done, total),
  };
  using images = await source.openImages({ engine, recipe, reporter, signal });
  const splits = keepDecoded(data.splits, images.examples);
  found.splits = examineSplits(splits);
  const duplicates = images.contents === undefined
    ? { groups: [], acrossSplits: 0 }
    : findDuplicates(images.examples, images.contents, splits);
  found.images = { usable: images.examples.length, broken: images.broken, duplicates };
  warnings.push(...imageWarnings(found.images));

  const { device, precision, threads } = engine;
  found.space = await spaceNeeded({
    ...{ recipe, side: images.side, images: images.examples.length, tensors: await engine.tensors() },
    ...{ cache: join(options.cache, "images"), keepImages: options.keepImages ?? true, out: options.out },
    ...(free !== undefined && { free }),
  });
  refuseBatchOfOne(splits.train.length, recipe);
  const left = device === "cpu" ? memoryLeft?.() : undefined;
  const learns = { engine, recipe, images };
  await dryRunLargestBatch(learns, splits.train);
  const onProgress = (done: number, total: number) => options.reporter.progress("Measuring steps", done, total);
  const measuring = { images: images.examples.length, now, onProgress, signal };
  found.speed = await timeSteps(learns, splits.train, measuring);
  const { peak } = await engine.memory();
  found.compute = { device, precision, threads, peakMemory: peak, ...(left !== undefined && { memoryLeft: left }) };
}

function examineData(dataset: Dataset): DataExamination {
  return {
    format: dataset.format ?? "drawn",
    images: dataset.examples.length,
    captions: dataset.rows.length,
    rejected: (dataset.rejected ?? []).map(describeRejected),
    missing: dataset.missing,
  };
}

function dataWarnings({ rejected, missing }: DataExamination): string[] {
  return [
    ...(rejected.length > 0
      ? [`${rejected.length} rows cannot be used and are left out, the first: ${rejected[0]}`]
      : []),
    ...(missing.length > 0 ? [`${missing.length} images are not there, the first is '${missing[0]}'`] : []),
  ];
}

function splitWarnings({ inTwoSplits, inSeveralLists, skipped }: SplitsExamination): string[] {
  return [
    ...(inTwoSplits.length > 0
      ? [`${inTwoSplits.length} images are in two splits, so that what is tested with was learnt from`]
      : []),
    ...(inSeveralLists.length > 0
      ? [
        `${inSeveralLists.length} images are in several lists and stay in one, the test's before the others; the ` +
        `first is '${inSeveralLists[0]}'`,
      ]
      : []),
    ...(skipped > 0 ? [`${skipped} images are in no list and are left out`] : []),
  ];
}

function captionWarnings(
  { lengths, unknownFractions, cut }: CaptionsExamination,
  { minCount, maxLength }: Recipe,
): string[] {
  const { validation } = unknownFractions;
  const empty = lengths["0"] ?? 0;
  return [
    ...(validation > MOST_UNKNOWN
      ? [
        `${(100 * validation).toFixed(1)}% of the validation captions' words are unknown, as they occur fewer than ` +
        `${minCount} times in the train split; try a lower --set minCount=...`,
      ]
      : []),
    ...(empty > 0 ? [`${empty} captions have no word in them`] : []),
    ...(cut > 0 ? [`${cut} captions are cut to ${maxLength} words`] : []),
  ];
}

function imageWarnings({ broken, duplicates: { groups, acrossSplits } }: ImagesExamination): string[] {
  const [first] = broken;
  return [
    ...(first !== undefined
      ? [`${broken.length} images cannot be decoded and are left out, the first is '${first.path}': ${first.reason}`]
      : []),
    ...(groups.length > 0
      ? [`${groups.length} groups of images have the same bytes, ${acrossSplits} of them in several splits`]
      : []),
  ];
}
