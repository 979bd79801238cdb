import { type Command, InvalidArgumentError, Option } from "commander";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { DEFAULT_ENCODER, ENCODER_NAMES, ENCODER_STAGES } from "../ffi/encoders.ts";
import type { EngineOptions } from "../ffi/settings.ts";
import { isFolder } from "../files/list_folder.ts";
import { InputError } from "../input_error.ts";
import { FORMAT_NAMES } from "../data/format_names.ts";
import { fineTuningRecipe, readInitialModel, refuseWithInitialModel } from "../pipeline/initial_model.ts";
import {
  describeSettings,
  makeRecipe,
  presetOf,
  type Recipe,
  RECIPE_NAMES,
  selfCriticalRecipe,
  VARIANTS,
} from "../pipeline/recipe.ts";
import { type DatasetOrigin, readRunConfig, type RunConfig, RunFolder } from "../pipeline/run_folder.ts";
import { TOKENIZERS } from "../text/tokenizer.ts";
import { checkpointPath } from "./checkpoint_path.ts";
import { collect, keyValue, once, oneOrSeveral, wholeNumber } from "./command.ts";
import { addEngineOptions, ENGINE_SHAPE } from "./engine_options.ts";
import { ENCODER_WEIGHTS, type EncoderWeightsChoice } from "../pipeline/encoder_weights_choice.ts";

const CACHE = fileURLToPath(new URL("../../.cache", import.meta.url));

export function addTrainOptions(command: Command): Command {
  command
    .option("--data <path>", "folder with captions and images, captions file, or tar shard", once)
    .addOption(
      new Option("--format <name>", "format of the captions (default: detected)").choices([...FORMAT_NAMES]),
    )
    .option("--strict", "fail at the first unusable row, instead of skipping it")
    .option("--captions <file>", "captions file, if not in --data; repeat to join several", collect)
    .option("--images <dir>", "image folder, if not in --data", once)
    .option("--splits <dir>", "folder of the official split lists, if not beside the captions", once)
    .addOption(
      new Option("--recipe <name>", "settings to start from (default: lrcn with data, sample without)")
        .choices([...RECIPE_NAMES]),
    )
    .option("--out <dir>", "folder for the run's files (default: runs/<date-time>-<recipe>)")
    .option(
      "--config <file>",
      "the config.json of a run, whose settings, data, weights and seed are used again, but for other options given",
    )
    .option("--resume <dir>", "resume the run in this folder; it ends as if it had never stopped")
    .option(
      "--self-critical <run>",
      "fine-tune that run's best model on the CIDEr of its own captions (self-critical sequence training)",
    )
    .addOption(
      new Option(
        "--baseline <name>",
        "self-critical baseline: the mean reward of the image's other samples (default), or of its greedy caption",
      ).choices(["greedy", "samples"]),
    )
    .option("--cache <dir>", "folder for decoded images, features and downloaded weights (default: the project's)")
    .option(
      "--checkpoint-every <steps>",
      "steps between checkpoints (default: every 10 minutes); each epoch also ends with one",
      wholeNumber(1),
    )
    .option("--tensorboard", "write event files for TensorBoard into the run's folder")
    .option("--epochs <n>", `maximum number of epochs (default: ${defaults("epochs")})`, wholeNumber(1))
    .option(
      "--batch-size <n>",
      `images per batch; captions in the notebook recipe (default: ${defaults("batchSize")})`,
      wholeNumber(1),
    )
    .option(
      "--image-size <n>",
      `side of the center crop that the CNN sees, in pixels (default: ${defaults("imageSize")})`,
      wholeNumber(16),
    )
    .option("--max-images <n>", "use a random sample of n images (default: all)", wholeNumber(1))
    .option("--max-pixels <n>", "skip images with more pixels (default: 50 million)", wholeNumber(1))
    .option("--no-image-cache", "decode images in each epoch instead of caching them on disk")
    .addOption(
      new Option("--tokenizer <name>", "tokenizer; unicode for other scripts (default: nltk)")
        .choices([...TOKENIZERS]),
    )
    .option(
      "--seed <n>",
      "random seed of split, initial weights, order, augmentation and dropout (default: 0)",
      wholeNumber(0),
    )
    .addOption(
      new Option("--variant <name>", "LSTM layers, as in the LRCN paper (default: 1u)").choices(Object.keys(VARIANTS)),
    )
    .addOption(
      new Option(
        "--inject <where>",
        `give the LSTM the image at every step, or as the first input only (default: ${defaults("inject")})`,
      )
        .choices(["every", "first"]),
    )
    .option("--embed-size <n>", `embedding size (default: ${defaults("embedSize")})`, wholeNumber(1))
    .option(
      "--hidden-size <n>",
      `LSTM hidden size (default: ${defaults("hiddenSize")})`,
      wholeNumber(1),
    )
    .addOption(
      new Option("--encoder <name>", `image encoder (default: ${DEFAULT_ENCODER})`).choices([...ENCODER_NAMES]),
    )
    .option(
      "--encoder-weights <what>",
      "pretrained weights of the encoder: imagenet, none, a .pth or .safetensors file, or auto (default with data): " +
        "imagenet for an encoder of the published size",
    )
    .option(
      "--init-from <file>",
      "fine-tune this checkpoint, or the best of the run so named: its architecture, preprocessing and tokenizer, and its vocabulary with the words that " +
        "occur twice in the new captions",
    )
    .option(
      "--finetune-after <epoch>",
      "epochs before the CNN is unfrozen, or never (default: three quarters of all with pretrained weights, else 0)",
      finetuneAfter,
    )
    .addOption(
      new Option(
        "--finetune-from <part>",
        "first trainable stage of the encoder; the stages before it stay frozen (default: its first stage)",
      )
        .choices([...ENCODER_STAGES]),
    );
  return addEngineOptions(command)
    .option(
      "--sync-batch-norm",
      "with several processes, compute BatchNorm statistics over all of them (default: each over its own)",
    )
    .option("--set <key=value>", "set any other setting, repeatable: --set outputDropout=0.3", keyValue)
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
  return `\nSettings for --set, with their values in the lrcn recipe:\n${lines.join("\n")}`;
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
  captions: z.array(z.string()).optional(),
  images: z.string().optional(),
  splits: z.string().optional(),
  recipe: z.enum(RECIPE_NAMES).optional(),
  out: z.string().optional(),
  config: z.string().optional(),
  resume: z.string().optional(),
  selfCritical: z.string().optional(),
  baseline: z.string().optional(),
  cache: z.string().optional(),
  checkpointEvery: z.number().optional(),
  tensorboard: z.boolean().optional(),
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
  initFrom: z.string().optional(),
  finetuneAfter: z.union([z.number(), z.literal("never")]).optional(),
  finetuneFrom: z.string().optional(),
  syncBatchNorm: z.boolean().optional(),
  ...ENGINE_SHAPE,
  set: z.record(z.string(), z.string()).optional(),
});
type Parsed = z.infer<typeof schema>;

/** The parsed command line of a training. */
export interface TrainTaskOptions extends EngineOptions {
  /** The settings, if the encoder starts from random weights. */
  readonly recipe: Recipe;
  /** The settings, if the encoder starts from pretrained weights. */
  readonly pretrainedRecipe: Recipe;
  /** Names of the settings that the user gave. */
  readonly givenSettings: readonly string[];
  /** Folder of the run. */
  readonly out: string;
  /** Whether to resume the run in `out`. */
  readonly resume: boolean;
  /** Folder of the caches. */
  readonly cache: string;
  /** Whether to cache decoded images there. */
  readonly keepImages: boolean;
  readonly checkpointEvery: number | undefined;
  readonly tensorboard: boolean | undefined;
  readonly seed: number;
  /** Null for rendered scenes. */
  readonly dataset: DatasetOrigin | null;
  readonly encoderWeights: EncoderWeightsChoice;
  /** Checkpoint with the initial weights of the model. */
  readonly initialWeights?: string | undefined;
  /** The words that the vocabulary begins with, if that checkpoint is fine-tuned. */
  readonly initialWords?: readonly string[] | undefined;
}

/** Clock and working directory for {@linkcode parseTrainOptions}. */
export interface ParseContext {
  /** The current time, for the run's name. */
  readonly now: Date;
  /** Resolves a path against the user's working directory. */
  readonly path: (path: string) => string;
}

/**
 * Checks the options; for `--resume` and `--self-critical`, completes them from the folder of the run.
 *
 * @throws {InputError} If options contradict each other, a setting is wrong, or the folder holds no run.
 */
export async function parseTrainOptions(parsed: unknown, context: ParseContext): Promise<TrainTaskOptions> {
  const options = schema.parse(parsed);
  const { resume, selfCritical } = options;
  if (resume !== undefined) return await parseResumedRun({ ...options, resume }, context);
  if (selfCritical !== undefined) return await parseSelfCriticalRun({ ...options, selfCritical }, context);
  const { initFrom, config } = options;
  if (config !== undefined) return await parseRepeatedRun({ ...options, config }, context);
  return initFrom === undefined
    ? parseNewRun(options, context)
    : await parseFineTuning({ ...options, initFrom }, context);
}

function parseNewRun(options: Parsed, context: ParseContext): TrainTaskOptions {
  const { data, captions, images, splits, maxImages } = options;
  const hasData = data !== undefined || captions !== undefined;
  const name = options.recipe ?? (hasData ? "lrcn" : "sample");
  if (!hasData && images !== undefined) {
    throw new InputError("Cannot train on images alone: no captions are named; give --data DIR or --captions FILE");
  }
  const preset = presetOf(name);
  if (preset.rendersData && (hasData || splits !== undefined || maxImages !== undefined)) {
    throw new InputError(`Cannot use the ${name} recipe with data: it renders its own; leave --recipe ${name} out`);
  }
  if (!preset.rendersData && !hasData) {
    throw new InputError(`Cannot train with the ${name} recipe: no data is named; give --data DIR or --captions FILE`);
  }
  const given = givenSettings(options);
  return {
    recipe: recipeOf(name, given, false),
    pretrainedRecipe: recipeOf(name, given, true),
    givenSettings: Object.keys(given),
    ...newRun(name, options, context),
    encoderWeights: encoderWeightsOf(options.encoderWeights, hasData, context),
    dataset: hasData ? datasetOf(options, context) : null,
  };
}

/** The options of a new run besides its settings, weights and data. */
function newRun(name: Recipe["name"], options: Parsed, context: ParseContext) {
  const { seed = 0, device = "auto", threads = 0, precision = presetOf(name).precision } = options;
  return {
    out: context.path(options.out ?? join("runs", `${timestamp(context.now)}-${name}`)),
    resume: false,
    cache: context.path(options.cache ?? CACHE),
    keepImages: options.imageCache,
    checkpointEvery: options.checkpointEvery,
    tensorboard: options.tensorboard,
    seed,
    device,
    precision,
    threads,
  };
}

/** The model and its preprocessing are the checkpoint's. */
async function parseFineTuning(
  options: Parsed & { readonly initFrom: string },
  context: ParseContext,
): Promise<TrainTaskOptions> {
  const { initFrom, data, captions, recipe: name, encoderWeights, set } = options;
  if (encoderWeights !== undefined) {
    throw new InputError(
      "Cannot use --encoder-weights with --init-from: the checkpoint has its own encoder; leave one out",
    );
  }
  if (data === undefined && captions === undefined) {
    throw new InputError("Cannot fine-tune: no data is named; give --data DIR or --captions FILE");
  }
  refuseWithInitialModel({ recipe: name });
  const model = await readInitialModel(await checkpointPath(initFrom, context));
  const given = givenSettings(options);
  const optionOf = (setting: string) => {
    if (set?.[setting] !== undefined) return `--set ${setting}`;
    return ["languageLayers", "fusionLayers"].includes(setting) ? "--variant" : `--${kebab(setting)}`;
  };
  const recipe = withFrozenEpochs(given, (settings) => fineTuningRecipe(model, settings, optionOf));
  return {
    ...{ recipe, pretrainedRecipe: recipe, givenSettings: Object.keys(given) },
    ...newRun(recipe.name, options, context),
    encoderWeights: { file: undefined },
    dataset: datasetOf(options, context),
    initialWeights: model.path,
    initialWords: model.words,
  };
}

/** A resumed run may change where its data is and where it computes, but not what it computes. */
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
    tensorboard,
    device,
    precision,
    threads,
    ...fixed
  } = options;
  refuseGiven(fixed, "of a resumed run: leave it out, or start a new run without --resume");
  const out = context.path(resume);
  const config = await new RunFolder(out).readConfig();
  return {
    recipe: config.recipe,
    pretrainedRecipe: config.recipe,
    givenSettings: [],
    out,
    resume: true,
    cache: context.path(cache),
    keepImages: imageCache,
    checkpointEvery,
    tensorboard,
    seed: config.seed,
    device: device ?? config.device,
    precision: precision ?? config.precision,
    threads: threads ?? config.threads,
    encoderWeights: { file: config.encoderWeights ?? undefined },
    initialWeights: config.initialWeights ?? undefined,
    initialWords: config.initialWords ?? undefined,
    dataset: movedDataset(config, { data, captions, images, splits }, context),
  };
}

/** A new run with the settings, data, weights and seed of another, but for what is given. */
async function parseRepeatedRun(
  options: Parsed & { readonly config: string },
  context: ParseContext,
): Promise<TrainTaskOptions> {
  const { config: given, recipe: name, encoder, initFrom, encoderWeights, seed, precision } = options;
  refuseGiven({ recipe: name, encoder, initFrom }, "with --config, which decides it: leave one out");
  const path = context.path(given);
  const file = await isFolder(path) ? join(path, "config.json") : path;
  const config = await readRunConfig(file, `Cannot train with the settings of '${file}'`);
  const settings = givenSettings(options);
  const { name: preset, ...former } = config.recipe;
  const recipe = withFrozenEpochs(settings, (changes) => makeRecipe(preset, { ...former, ...changes }));
  if (encoderWeights !== undefined && config.initialWeights !== null) {
    throw new InputError(
      "Cannot use --encoder-weights with this --config: its run started from a checkpoint; leave one out",
    );
  }
  return {
    ...{ recipe, pretrainedRecipe: recipe, givenSettings: Object.keys(settings) },
    ...newRun(preset, { ...options, seed: seed ?? config.seed, precision: precision ?? config.precision }, context),
    encoderWeights: encoderWeights === undefined
      ? { file: config.encoderWeights ?? undefined }
      : encoderWeightsOf(encoderWeights, config.dataset !== null, context),
    dataset: movedDataset(config, options, context),
    initialWeights: config.initialWeights ?? undefined,
    initialWords: config.initialWords ?? undefined,
  };
}

/** Vocabulary and model, and so data and seed, are those of the finished run; only the objective differs. */
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
    tensorboard,
    ...rest
  } = options;
  const { device = "auto", precision, threads, epochs, batchSize, baseline, set, ...fixed } = rest;
  refuseGiven(fixed, "of the run whose model is trained self-critically: leave it out");
  const finished = new RunFolder(context.path(selfCritical));
  const config = await finished.readConfig();
  const given = givenSettings({ imageCache, epochs, batchSize, baseline, set });
  const recipe = selfCriticalRecipe(config.recipe, given);
  return {
    recipe,
    pretrainedRecipe: recipe,
    givenSettings: Object.keys(given),
    out: context.path(out ?? join("runs", `${timestamp(context.now)}-${recipe.name}-self-critical`)),
    resume: false,
    cache: context.path(cache),
    keepImages: imageCache,
    checkpointEvery,
    tensorboard,
    seed: config.seed,
    device,
    precision: precision ?? config.precision,
    threads: threads ?? 0,
    encoderWeights: { file: undefined },
    initialWeights: finished.file("best"),
    initialWords: config.initialWords ?? undefined,
    dataset: movedDataset(config, { data, captions, images, splits }, context),
  };
}

function refuseGiven(options: Readonly<Record<string, unknown>>, reason: string): void {
  const given = Object.entries(options).filter(([, value]) => value !== undefined).map(([key]) => `--${kebab(key)}`);
  if (given.length > 0) throw new InputError(`Cannot change ${given.join(", ")} ${reason}`);
}

function movedDataset(config: RunConfig, paths: DatasetOrigin, context: ParseContext): DatasetOrigin | null {
  const moved = datasetOf(paths, context);
  if (config.dataset !== null) return { ...config.dataset, ...moved };
  if (Object.keys(moved).length === 0) return null;
  throw new InputError(
    "Cannot use data with this run: it renders its own; leave out --data, --captions, --images and --splits",
  );
}

/** The settings given as options or by `--set`; giving one both ways is an error. */
function givenSettings(options: Parsed): Record<string, unknown> {
  const { epochs, batchSize, imageSize, variant, inject, embedSize, hiddenSize, finetuneAfter, finetuneFrom } = options;
  const named = {
    tokenizer: options.tokenizer,
    baseline: options.baseline,
    encoder: options.encoder,
    epochs,
    batchSize,
    imageSize,
    inject,
    embedSize,
    hiddenSize,
    trainableFrom: finetuneFrom,
    frozenEpochs: finetuneAfter,
    ...(variant !== undefined && VARIANTS[variant]),
    batchNorm: options.syncBatchNorm ? "synchronized" : undefined,
  };
  const given = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
  const twin = Object.keys(options.set ?? {}).find((name) => Object.hasOwn(given, name));
  if (twin !== undefined) {
    throw new InputError(`Cannot set '${twin}' twice: leave out --set ${twin}=..., or the option for it`);
  }
  if (options.set?.["objective"] !== undefined) {
    throw new InputError("Cannot set 'objective': name the run to start from with --self-critical RUN");
  }
  return { ...given, ...options.set };
}

function recipeOf(name: Recipe["name"], given: Readonly<Record<string, unknown>>, pretrained: boolean): Recipe {
  return withFrozenEpochs(given, (settings) => makeRecipe(name, settings, { pretrained }));
}

/** Makes a recipe whose encoder, for `never`, is frozen in all epochs. */
function withFrozenEpochs(
  given: Readonly<Record<string, unknown>>,
  make: (settings: Readonly<Record<string, unknown>>) => Recipe,
): Recipe {
  if (given["frozenEpochs"] !== "never") return make(given);
  const { epochs } = make({ ...given, frozenEpochs: 0 });
  return make({ ...given, frozenEpochs: epochs });
}

function encoderWeightsOf(text: string | undefined, hasData: boolean, { path }: ParseContext): EncoderWeightsChoice {
  // Rendered scenes need no pretrained weights.
  if (text === undefined) return hasData ? "auto" : { file: undefined };
  return ENCODER_WEIGHTS.find((choice) => choice === text) ?? { file: path(text) };
}

function datasetOf(origin: DatasetOrigin, { path }: ParseContext): DatasetOrigin {
  const { data, captions, images, splits, format, strict, maxImages, maxPixels } = origin;
  const paths = Object.entries({ data, images, splits })
    .map(([key, value]) => [key, value === undefined ? undefined : path(value)]);
  const files = captions === undefined ? undefined : oneOrSeveral([captions].flat().map((file) => path(file)));
  const all = Object.entries({ ...Object.fromEntries(paths), captions: files, format, strict, maxImages, maxPixels });
  return Object.fromEntries(all.filter(([, value]) => value !== undefined));
}

function kebab(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Local time as 2026-01-31-174502, so that runs sort by time. */
function timestamp(now: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join("-");
  return `${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}
