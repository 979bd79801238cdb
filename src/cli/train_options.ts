/**
 * The options of `deno task train`.
 *
 * @module
 */

import { type Command, InvalidArgumentError, Option } from "commander";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { DEFAULT_ENCODER, ENCODER_NAMES, ENCODER_STAGES } from "../ffi/encoders.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import { InputError } from "../input_error.ts";
import { FORMAT_NAMES } from "../data/formats/format.ts";
import {
  describeSettings,
  idleSettings,
  makeRecipe,
  type Recipe,
  RECIPE_NAMES,
  selfCriticalRecipe,
  VARIANTS,
} from "../pipeline/recipe.ts";
import { type DatasetOrigin, type RunConfig, RunFolder } from "../pipeline/run_folder.ts";
import { TOKENIZERS } from "../text/tokenizer.ts";
import { keyValue, wholeNumber } from "./command.ts";
import { addEngineOptions, ENGINE_SHAPE } from "./engine_options.ts";
import { ENCODER_WEIGHTS, type EncoderWeightsChoice } from "../pipeline/encoder_weights_choice.ts";

const CACHE = fileURLToPath(new URL("../../.cache", import.meta.url));

/**
 * Adds the options of training.
 *
 * @param command The command.
 * @returns The command.
 */
export function addTrainOptions(command: Command): Command {
  command
    .option("--data <path>", "folder with captions and images, captions file, or tar shard")
    .addOption(
      new Option("--format <name>", "how the captions are written (default: found by looking)").choices([
        ...FORMAT_NAMES,
      ]),
    )
    .option("--strict", "end at the first row that cannot be used, instead of leaving it out")
    .option("--captions <file>", "captions file, where it is not in --data")
    .option("--images <dir>", "folder of images, where it is not in --data")
    .option("--splits <dir>", "folder of the official split lists, where they are not beside the captions")
    .addOption(
      new Option("--recipe <name>", "settings to start from (default: lrcn with data, sample without)")
        .choices([...RECIPE_NAMES]),
    )
    .option("--out <dir>", "folder for the run's files (default: runs/<date-time>-<recipe>)")
    .option("--resume <dir>", "go on with the run in that folder, as if it had never stopped")
    .option(
      "--self-critical <run>",
      "go on from that run's best model: it learns to write captions that earn CIDEr, instead of people's word by word",
    )
    .addOption(
      new Option(
        "--baseline <what>",
        "what a caption must earn more than: the image's other samples (default), or its greedy caption",
      ).choices(["greedy", "samples"]),
    )
    .option("--cache <dir>", "folder for decoded images, features and downloaded weights (default: the project's)")
    .option(
      "--checkpoint-every <steps>",
      "steps between checkpoints (default: 10 minutes, and each epoch)",
      wholeNumber(1),
    )
    .option(
      "--cuda-graphs",
      "on a GPU, record training steps and run each as one launch (libtorch 2.13 or newer; experimental)",
    )
    .option("--epochs <n>", `most epochs (default: ${defaults("epochs")})`, wholeNumber(1))
    .option(
      "--batch-size <n>",
      `images computed at once; captions in the notebook recipe (default: ${defaults("batchSize")})`,
      wholeNumber(1),
    )
    .option(
      "--image-size <n>",
      `side of the square that the CNN sees, in pixels (default: ${defaults("imageSize")})`,
      wholeNumber(16),
    )
    .option("--max-images <n>", "use so many images only, drawn at random (default: all)", wholeNumber(1))
    .option("--max-pixels <n>", "leave out images of more pixels (default: 50 million)", wholeNumber(1))
    .option("--no-image-cache", "decode images anew in each epoch, where no disk holds them all")
    .addOption(
      new Option("--tokenizer <name>", "what splits captions into words: unicode for other scripts (default: nltk)")
        .choices([...TOKENIZERS]),
    )
    .option("--seed <n>", "decides split, weights, order, augmentation and dropout (default: 0)", wholeNumber(0))
    .addOption(
      new Option("--variant <name>", "LSTM layers as in the LRCN paper (default: 1u)").choices(Object.keys(VARIANTS)),
    )
    .addOption(
      new Option(
        "--inject <where>",
        `where the image feature enters: at every word, or first (default: ${defaults("inject")})`,
      )
        .choices(["every", "first"]),
    )
    .option("--embed-size <n>", `numbers in a word vector (default: ${defaults("embedSize")})`, wholeNumber(1))
    .option(
      "--hidden-size <n>",
      `numbers in each LSTM layer's state (default: ${defaults("hiddenSize")})`,
      wholeNumber(1),
    )
    .addOption(
      new Option("--encoder <name>", `image encoder (default: ${DEFAULT_ENCODER})`).choices([...ENCODER_NAMES]),
    )
    .option(
      "--encoder-weights <what>",
      "the encoder's first weights: imagenet, none, or a .pth or .safetensors file (default with data: auto, imagenet " +
        "for an encoder of the published size)",
    )
    .option(
      "--finetune-after <epoch>",
      "epochs in which the CNN stands still first, or never (default: a third of them with pretrained weights, else 0)",
      finetuneAfter,
    )
    .addOption(
      new Option(
        "--finetune-from <part>",
        "first stage of the encoder that is fine-tuned; those before it stay frozen (default: all are fine-tuned)",
      )
        .choices([...ENCODER_STAGES]),
    );
  return addEngineOptions(command)
    .option(
      "--sync-batch-norm",
      "of several processes, let BatchNorm go by the batches of all (default: by each one's)",
    )
    .option("--set <key=value>", "any other setting, repeatable: --set outputDropout=0.3", keyValue)
    .addHelpText("after", settingsHelp());
}

function defaults(setting: "epochs" | "batchSize" | "imageSize" | "embedSize" | "hiddenSize" | "inject"): string {
  return RECIPE_NAMES.map((name) => `${name} ${makeRecipe(name)[setting]}`).join(", ");
}

function settingsHelp(): string {
  const settings = describeSettings();
  const width = Math.max(...settings.map(({ name }) => name.length));
  const lines = settings.map(({ name, meaning, choices, value, pretrained }) => {
    const words = choices.length > 0 ? ` (${choices.join(", ")})` : "";
    const values = value === pretrained ? value : `${pretrained}, from scratch ${value}`;
    return `  ${name.padEnd(width)}  ${meaning}${words} [${values}]`;
  });
  return `\nSettings for --set, with what they are in the lrcn recipe:\n${lines.join("\n")}`;
}

function finetuneAfter(text: string): number | "never" {
  if (text === "never") return text;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a number of epochs, or never.");
}

const schema = z.object({
  data: z.string().optional(),
  format: z.enum(FORMAT_NAMES).optional(),
  strict: z.boolean().optional(),
  captions: z.string().optional(),
  images: z.string().optional(),
  splits: z.string().optional(),
  recipe: z.enum(RECIPE_NAMES).optional(),
  out: z.string().optional(),
  resume: z.string().optional(),
  selfCritical: z.string().optional(),
  baseline: z.string().optional(),
  cache: z.string().optional(),
  checkpointEvery: z.number().optional(),
  cudaGraphs: z.boolean().optional(),
  epochs: z.number().optional(),
  batchSize: z.number().optional(),
  imageSize: z.number().optional(),
  maxImages: z.number().optional(),
  maxPixels: z.number().optional(),
  imageCache: z.boolean().default(true),
  seed: z.number().optional(),
  tokenizer: z.enum(TOKENIZERS).optional(),
  variant: z.enum(["1u", "2u", "2f", "4f"]).optional(),
  inject: z.string().optional(),
  embedSize: z.number().optional(),
  hiddenSize: z.number().optional(),
  encoder: z.string().optional(),
  encoderWeights: z.string().optional(),
  finetuneAfter: z.union([z.number(), z.literal("never")]).optional(),
  finetuneFrom: z.string().optional(),
  syncBatchNorm: z.boolean().optional(),
  ...ENGINE_SHAPE,
  set: z.record(z.string(), z.string()).optional(),
});
type Parsed = z.infer<typeof schema>;

/** What a training is told on the command line. */
export interface TrainTaskOptions extends EngineOptions {
  /** Gives the settings, which depend on whether the CNN starts from pretrained weights. */
  readonly recipe: (pretrained: boolean) => Recipe;
  /** What the user should know of what was given: settings that do nothing. */
  readonly warnings: (recipe: Recipe) => readonly string[];
  /** The run's folder. */
  readonly out: string;
  /** Whether the run in that folder is gone on with. */
  readonly resume: boolean;
  /** The folder of the caches. */
  readonly cache: string;
  /** Whether decoded images are kept there. */
  readonly keepImages: boolean;
  /** Steps between checkpoints. */
  readonly checkpointEvery: number | undefined;
  /** Whether a GPU records training steps. */
  readonly cudaGraphs: boolean | undefined;
  /** The seed. */
  readonly seed: number;
  /** Where the data is; null for drawn scenes. */
  readonly dataset: DatasetOrigin | null;
  /** Where the CNN's first weights come from. */
  readonly encoderWeights: EncoderWeightsChoice;
  /** The checkpoint that the model begins with. */
  readonly initialWeights?: string | undefined;
}

/** What {@linkcode parseTrainOptions} needs of the outside. */
export interface ParseContext {
  /** The present, for the run's name. */
  readonly now: Date;
  /** Makes a user's path absolute. */
  readonly path: (path: string) => string;
}

/**
 * Checks the options against each other, and takes those of a run that is gone on with from its folder.
 *
 * @param parsed What commander found.
 * @param context See {@linkcode ParseContext}.
 * @returns All that the training needs.
 * @throws {InputError} If options do not go together, a setting is wrong, or the folder holds no run.
 */
export async function parseTrainOptions(parsed: unknown, context: ParseContext): Promise<TrainTaskOptions> {
  const options = schema.parse(parsed);
  const { resume, selfCritical } = options;
  if (resume !== undefined) return await parseResumedRun({ ...options, resume }, context);
  if (selfCritical !== undefined) return await parseSelfCriticalRun({ ...options, selfCritical }, context);
  return parseNewRun(options, context);
}

function parseNewRun(options: Parsed, context: ParseContext): TrainTaskOptions {
  const { data, captions, images, splits, maxImages, seed = 0, device = "auto", threads = 0 } = options;
  const hasData = data !== undefined || captions !== undefined;
  const name = options.recipe ?? (hasData ? "lrcn" : "sample");
  if (!hasData && images !== undefined) {
    throw new InputError("Cannot train on images alone: no captions are named; give --data DIR or --captions FILE");
  }
  if (name === "sample" && (hasData || splits !== undefined || maxImages !== undefined)) {
    throw new InputError("Cannot use the sample recipe with data: it draws its own; leave --recipe sample out");
  }
  if (name !== "sample" && !hasData) {
    throw new InputError(`Cannot train with the ${name} recipe: no data are named; give --data DIR or --captions FILE`);
  }
  const given = givenSettings(options);
  const recipe = (pretrained: boolean) => recipeOf(name, given, pretrained);
  recipe(false);
  // The notebook computes in float32, and its recipe's numbers are meant to be compared.
  const precision = options.precision ?? (name === "notebook" ? "fp32" : "auto");
  return {
    recipe,
    warnings: (recipe) => idleSettings(recipe, Object.keys(given)),
    out: context.path(options.out ?? join("runs", `${timestamp(context.now)}-${name}`)),
    resume: false,
    cache: context.path(options.cache ?? CACHE),
    keepImages: options.imageCache,
    checkpointEvery: options.checkpointEvery,
    cudaGraphs: options.cudaGraphs,
    seed,
    device,
    precision,
    threads,
    encoderWeights: encoderWeightsOf(options.encoderWeights ?? (hasData ? "auto" : "none"), context),
    dataset: hasData ? datasetOf(options, context) : null,
  };
}

/** Where a run finds its data, and where and when it computes, may change; what it computes may not. */
async function parseResumedRun(
  options: Parsed & { readonly resume: string },
  context: ParseContext,
): Promise<TrainTaskOptions> {
  const {
    resume,
    data,
    captions,
    images,
    splits,
    cache = CACHE,
    imageCache,
    checkpointEvery,
    cudaGraphs,
    device,
    precision,
    threads,
    ...fixed
  } = options;
  refuseGiven(fixed, "of a run that is gone on with: leave it out, or train anew without --resume");
  const out = context.path(resume);
  const config = await new RunFolder(out).readConfig();
  return {
    recipe: () => config.recipe,
    warnings: () => [],
    out,
    resume: true,
    cache: context.path(cache),
    keepImages: imageCache,
    checkpointEvery,
    cudaGraphs,
    seed: config.seed,
    device: device ?? config.device,
    precision: precision ?? config.precision,
    threads: threads ?? config.threads,
    encoderWeights: { file: config.encoderWeights ?? undefined },
    initialWeights: config.initialWeights ?? undefined,
    dataset: movedDataset(config, { data, captions, images, splits }, context),
  };
}

/** The same words and model as in a run that is done, and so its data and seed; what is learnt from them is another. */
async function parseSelfCriticalRun(
  options: Parsed & { readonly selfCritical: string },
  context: ParseContext,
): Promise<TrainTaskOptions> {
  const {
    selfCritical,
    data,
    captions,
    images,
    splits,
    out,
    cache = CACHE,
    imageCache,
    checkpointEvery,
    cudaGraphs,
    ...rest
  } = options;
  const { device = "auto", precision, threads, epochs, batchSize, baseline, set, ...fixed } = rest;
  refuseGiven(fixed, "of the run whose model learns self-critically: leave it out");
  const former = new RunFolder(context.path(selfCritical));
  const config = await former.readConfig();
  const given = givenSettings({ imageCache, epochs, batchSize, baseline, set });
  const recipe = selfCriticalRecipe(config.recipe, given);
  return {
    recipe: () => recipe,
    warnings: () => idleSettings(recipe, Object.keys(given)),
    out: context.path(out ?? join("runs", `${timestamp(context.now)}-${recipe.name}-self-critical`)),
    resume: false,
    cache: context.path(cache),
    keepImages: imageCache,
    checkpointEvery,
    cudaGraphs,
    seed: config.seed,
    device,
    precision: precision ?? config.precision,
    threads: threads ?? 0,
    encoderWeights: { file: undefined },
    initialWeights: former.file("best"),
    dataset: movedDataset(config, { data, captions, images, splits }, context),
  };
}

function refuseGiven(options: Readonly<Record<string, unknown>>, reason: string): void {
  const given = Object.entries(options).filter(([, value]) => value !== undefined).map(([key]) => `--${kebab(key)}`);
  if (given.length > 0) throw new InputError(`Cannot change ${given.join(", ")} ${reason}`);
}

/** Where a run's data is now. */
function movedDataset(config: RunConfig, places: DatasetOrigin, context: ParseContext): DatasetOrigin | null {
  const moved = datasetOf(places, context);
  if (config.dataset !== null) return { ...config.dataset, ...moved };
  if (Object.keys(moved).length === 0) return null;
  throw new InputError("Cannot use data with this run: it draws its own; leave --data and its like out");
}

/** The settings that the user gave, by name; an option and its `--set` twin cannot both be. */
function givenSettings(options: Parsed): Record<string, unknown> {
  const { epochs, batchSize, imageSize, variant, inject, embedSize, hiddenSize, finetuneAfter, finetuneFrom } = options;
  const named = {
    ...{ tokenizer: options.tokenizer, baseline: options.baseline, encoder: options.encoder },
    ...{
      epochs,
      batchSize,
      imageSize,
      inject,
      embedSize,
      hiddenSize,
      trainableFrom: finetuneFrom,
      frozenEpochs: finetuneAfter,
    },
    ...(variant !== undefined && VARIANTS[variant]),
    batchNorm: options.syncBatchNorm ? "synchronized" : undefined,
  };
  const given = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
  const twin = Object.keys(options.set ?? {}).find((name) => Object.hasOwn(given, name));
  if (twin !== undefined) {
    throw new InputError(`Cannot set '${twin}' twice: leave --set ${twin}=... out, or the option that sets it too`);
  }
  if (options.set?.["objective"] !== undefined) {
    throw new InputError("Cannot set 'objective': give the run to go on from, --self-critical RUN");
  }
  return { ...given, ...options.set };
}

function recipeOf(name: Recipe["name"], given: Readonly<Record<string, unknown>>, pretrained: boolean): Recipe {
  if (given["frozenEpochs"] !== "never") return makeRecipe(name, given, { pretrained });
  const { epochs } = makeRecipe(name, { ...given, frozenEpochs: 0 }, { pretrained });
  return makeRecipe(name, { ...given, frozenEpochs: epochs }, { pretrained });
}

function encoderWeightsOf(text: string, { path }: ParseContext): EncoderWeightsChoice {
  return ENCODER_WEIGHTS.find((choice) => choice === text) ?? { file: path(text) };
}

function datasetOf(origin: DatasetOrigin, { path }: ParseContext): DatasetOrigin {
  const { data, captions, images, splits, format, strict, maxImages, maxPixels } = origin;
  const places = Object.entries({ data, captions, images, splits })
    .map(([key, place]) => [key, place === undefined ? undefined : path(place)]);
  const all = Object.entries({ ...Object.fromEntries(places), format, strict, maxImages, maxPixels });
  return Object.fromEntries(all.filter(([, value]) => value !== undefined));
}

function kebab(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Local time as 2026-01-31-174502, which sorts by time. */
function timestamp(now: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join("-");
  return `${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}
