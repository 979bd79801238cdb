import { join } from "node:path";
import { Engine } from "../ffi/engine.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import { EngineError } from "../ffi/status.ts";
import { InputError } from "../input_error.ts";
import type { freeBytes } from "../files/free_space.ts";
import type { Dataset } from "../data/dataset.ts";
import { describeCaptionFiles, describeRenamed, describeSplit } from "../data/describe_dataset.ts";
import { describeRejected } from "../data/formats/caption_rows.ts";
import { dryRunLargestBatch, refuseBatchOfOne } from "../pipeline/dry_run.ts";
import { loadFirstWeights } from "../pipeline/first_weights.ts";
import type { BrokenImage } from "../pipeline/cache/image_cache.ts";
import type { Recipe } from "../pipeline/recipe.ts";
import { modelSettings } from "../pipeline/run_model.ts";
import { keepDecoded, prepareTrainingData } from "../pipeline/training_data.ts";
import { rareWords, wordWarnings } from "../pipeline/word_warnings.ts";
import type { TrainingSource } from "../pipeline/training_source.ts";
import type { Reporter } from "../reporter.ts";
import { checkOut } from "./check_out.ts";
import { type CaptionsExamination, examineCaptions } from "./examine_captions.ts";
import { type Duplicates, findDuplicates, imagesInTwoSplits } from "./examine_splits.ts";
import { spaceErrors, type SpaceExamination, spaceNeeded } from "./space_needed.ts";
import { type SpeedExamination, timeSteps } from "./time_steps.ts";

/** The files of the dataset. */
export interface DataExamination {
  /** Format of the captions. */
  readonly format: string;
  /** The files of the captions, for the user; absent if they come from none. */
  readonly files?: string;
  /** Number of images whose files exist. */
  readonly images: number;
  readonly captions: number;
  /** A line for each unusable row. */
  readonly rejected: readonly string[];
  /** Names of images whose files are missing. */
  readonly missing: readonly string[];
  /** Which images have another name on disk; absent if none has. */
  readonly renamed?: string;
}

/** The splits; without the broken images, once these are known. */
export interface SplitsExamination {
  /** Whether the dataset has a split of its own. */
  readonly kind: "official" | "random";
  /** What decides the split of files, for the user: lists, names, folders, or chance with its seed. */
  readonly source?: string;
  /** What the following numbers count. */
  readonly unit: "images" | "captions";
  readonly train: number;
  readonly validation: number;
  readonly test: number;
  /** In no official list. */
  readonly skipped: number;
  /** Names of images in more than one split. */
  readonly inTwoSplits: readonly string[];
  /** Names in several official lists; each stays in one, preferably the test list. */
  readonly inSeveralLists: readonly string[];
}

/** The images. */
export interface ImagesExamination {
  /** Number of images that can be decoded. */
  readonly usable: number;
  readonly broken: readonly BrokenImage[];
  readonly duplicates: Duplicates;
}

/** Device and memory. */
export interface ComputeExamination {
  readonly device: string;
  readonly precision: string;
  readonly threads: number;
  /** Peak bytes in libtorch's tensors during the steps. */
  readonly peakMemory: number;
  /** Free bytes before the steps; absent if unknown, as on a GPU. */
  readonly memoryLeft?: number;
}

/** The result of {@linkcode examine}. After an error, later parts are absent. */
export interface Examination {
  readonly data?: DataExamination;
  readonly splits?: SplitsExamination;
  readonly captions?: CaptionsExamination;
  readonly images?: ImagesExamination;
  readonly space?: SpaceExamination;
  readonly compute?: ComputeExamination;
  readonly speed?: SpeedExamination;
  readonly warnings: readonly string[];
  /** Why training cannot run. */
  readonly errors: readonly string[];
}

/** Options of {@linkcode examine}. */
export interface ExamineOptions extends EngineOptions {
  readonly openSource: () => Promise<TrainingSource>;
  readonly recipe: Recipe;
  readonly seed: number;
  /** File with the initial weights of the CNN. */
  readonly encoderWeights: string | undefined;
  /** The checkpoint that is fine-tuned, and its vocabulary. */
  readonly initialWeights?: string | undefined;
  readonly initialWords?: readonly string[] | undefined;
  /** Folder of the caches. */
  readonly cache: string;
  /**
   * Whether decoded images are cached.
   *
   * @default {true}
   */
  readonly keepImages?: boolean;
  /** Folder that the run would be written to. */
  readonly out: string;
  readonly reporter: Pick<Reporter, "progress">;
  /**
   * Receives the findings so far when a part is found.
   *
   * @default {nothing}
   */
  readonly onFound?: (found: Findings) => void;
  readonly signal: AbortSignal;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  /**
   * Free bytes of the machine's memory.
   *
   * @default {unknown}
   */
  readonly memoryLeft?: () => number | undefined;
  /**
   * Free bytes on a folder's disk.
   *
   * @default {asks the system}
   */
  readonly free?: typeof freeBytes;
}

/** Fraction of unknown words above which captions suffer. */
const MAX_UNKNOWN_FRACTION = 0.05;

/** The parts of an {@linkcode Examination}. */
export type Findings = Omit<Examination, "warnings" | "errors">;
type Draft = { -readonly [Part in keyof Findings]: Findings[Part] };

/**
 * Checks a dataset as training would use it: the same steps in the same order, up to the first training steps. Bad input
 * is reported, not thrown. Decoded images stay in the cache for the training that follows.
 */
export async function examine(options: ExamineOptions): Promise<Examination> {
  const found: Draft = {};
  const warnings: string[] = [];
  const errors: string[] = [];
  try {
    await collectFindings(options, { found, warnings, errors });
  } catch (error) {
    if (!(error instanceof InputError || error instanceof EngineError)) throw error;
    errors.push(error.message);
  }
  if (found.space !== undefined) errors.push(...spaceErrors(found.space));
  const refusal = await checkOut(options.out);
  if (refusal !== undefined) errors.push(refusal);
  return { ...found, warnings, errors };
}

async function collectFindings(
  options: ExamineOptions,
  { found, warnings, errors }: { readonly found: Draft; readonly warnings: string[]; readonly errors: string[] },
): Promise<void> {
  const { recipe, seed, signal, encoderWeights, initialWeights, initialWords, now, memoryLeft } = options;
  const tell = () => options.onFound?.({ ...found });
  const source = await options.openSource();
  const { dataset } = source;
  found.data = examineData(dataset);
  warnings.push(...dataWarnings(found.data), ...dataset.remarks ?? []);
  tell();

  const data = prepareTrainingData(dataset, recipe, seed, initialWords);
  const examineSplits = (splits: typeof data.splits): SplitsExamination => ({
    kind: dataset.officialSplits === undefined || recipe.splitBy === "caption" ? "random" : "official",
    ...(dataset.format !== undefined && { source: describeSplit(dataset, { splitBy: recipe.splitBy, seed }) }),
    unit: recipe.splitBy === "caption" ? "captions" : "images",
    train: splits.train.length,
    validation: splits.validation.length,
    test: splits.test.length,
    skipped: splits.skipped,
    inTwoSplits: imagesInTwoSplits(splits),
    inSeveralLists: dataset.inSeveralLists ?? [],
  });
  found.splits = examineSplits(data.splits);
  found.captions = examineCaptions(dataset, data, recipe);
  warnings.push(...splitWarnings(found.splits), ...wordWarnings(data, recipe));
  warnings.push(...captionWarnings(found.captions, recipe));
  tell();

  using engine = await Engine.open(modelSettings(recipe, data.vocabulary.size), {
    ...options,
    initialization: recipe.initialization,
  });
  const { vocabulary } = data;
  await loadFirstWeights(engine, {
    encoderWeights,
    initialWeights,
    initialWords,
    vocabulary,
    embeddingStd: recipe.embeddingStd,
    note: () => {},
  }).catch((error) => {
    // All else can be checked with random weights.
    if (!(error instanceof InputError)) throw error;
    errors.push(error.message);
  });
  const reporter: Reporter = {
    note: (line) => warnings.push(line),
    warn: (line) => warnings.push(line),
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
  tell();

  const { device, precision, threads } = engine;
  found.space = await spaceNeeded({
    recipe,
    side: images.side,
    images: images.examples.length,
    tensors: await engine.tensors(),
    cache: join(options.cache, "images"),
    keepImages: options.keepImages ?? true,
    out: options.out,
    ...(options.free !== undefined && { free: options.free }),
  });
  tell();
  refuseBatchOfOne(splits.train.length, recipe);
  const free = device === "cpu" ? memoryLeft?.() : undefined;
  const context = { engine, recipe, images };
  await dryRunLargestBatch(context, splits.train, recipe.batchSize);
  const onProgress = (done: number, total: number) => options.reporter.progress("Measuring steps", done, total);
  const measuring = { images: images.examples.length, now, onProgress, signal };
  found.speed = await timeSteps(context, splits.train, measuring);
  const { peak } = await engine.memory();
  found.compute = { device, precision, threads, peakMemory: peak, ...(free !== undefined && { memoryLeft: free }) };
  tell();
}

function examineData(dataset: Dataset): DataExamination {
  const renamed = describeRenamed(dataset);
  return {
    format: dataset.format ?? "rendered",
    ...(dataset.format !== undefined && { files: describeCaptionFiles(dataset) }),
    images: dataset.examples.length,
    captions: dataset.rows.length,
    rejected: (dataset.rejected ?? []).map(describeRejected),
    missing: dataset.missing,
    ...(renamed !== undefined && { renamed }),
  };
}

function dataWarnings({ rejected, missing }: DataExamination): string[] {
  return [
    ...(rejected.length > 0 ? [`${rejected.length} unusable rows are skipped, the first: ${rejected[0]}`] : []),
    ...(missing.length > 0 ? [`${missing.length} missing images are skipped, the first: '${missing[0]}'`] : []),
  ];
}

function splitWarnings({ inTwoSplits, inSeveralLists, skipped }: SplitsExamination): string[] {
  return [
    ...(inTwoSplits.length > 0
      ? [`${inTwoSplits.length} images are in two splits: validation or test set overlap with the training set`]
      : []),
    ...(inSeveralLists.length > 0
      ? [
        `${inSeveralLists.length} images are in several lists and stay in one, preferably the test list; ` +
        `the first: '${inSeveralLists[0]}'`,
      ]
      : []),
    ...(skipped > 0 ? [`${skipped} images are in no list and are skipped`] : []),
  ];
}

function captionWarnings(
  { lengths, unknownFractions, cut }: CaptionsExamination,
  { minCount, maxLength }: Recipe,
): string[] {
  const { validation } = unknownFractions;
  const empty = lengths["0"] ?? 0;
  return [
    ...(validation > MAX_UNKNOWN_FRACTION
      ? [
        `${(100 * validation).toFixed(1)}% of the words of validation captions are unknown: ${rareWords(minCount)}`,
      ]
      : []),
    ...(empty > 0 ? [`${empty} captions have no word`] : []),
    ...(cut > 0 ? [`${cut} captions are truncated to ${maxLength} words`] : []),
  ];
}

function imageWarnings({ broken, duplicates: { groups, acrossSplits } }: ImagesExamination): string[] {
  const [first] = broken;
  return [
    ...(first !== undefined
      ? [`${broken.length} broken images are skipped, the first: '${first.path}', ${first.reason}`]
      : []),
    ...(groups.length > 0
      ? [`${groups.length} groups of identical images, ${acrossSplits} of them in several splits`]
      : []),
  ];
}
