/**
 * The settings of a training run, in one flat object.
 *
 * @module
 */

import { z } from "zod";
import { BEAM_SIZE_LIMITS, MAX_LENGTH_LIMITS, SIDE_LIMITS } from "../checkpoint/limits.ts";
import {
  DEFAULT_ENCODER,
  ENCODER_NAMES,
  ENCODER_STAGES,
  type EncoderName,
  ENCODERS,
  stagesOf,
} from "../ffi/encoders.ts";
import { InputError } from "../input_error.ts";
import { SCHEDULES } from "./schedule.ts";
import { TOKENIZERS } from "../text/tokenizer.ts";

/** The native library counts in 32 bits. */
const LARGEST_COUNT = 2 ** 31 - 1;
const count = number(z.coerce.number().int().nonnegative().max(LARGEST_COUNT));
const positive = number(z.coerce.number().int().positive().max(LARGEST_COUNT));
const rate = number(z.coerce.number().nonnegative());
const share = number(z.coerce.number().min(0).lt(1));

/** Blank text is no number, though JavaScript reads 0 from it. */
function number(type: z.ZodType<number>) {
  return z.preprocess((value) => typeof value === "string" && value.trim() === "" ? NaN : value, type);
}

const VALIDATION_METRICS = ["loss", "bleu4", "cider"] as const;

/** Every setting with its type and meaning; `--set key=value` takes these names. */
const schema = z.strictObject({
  name: z.enum(["lrcn", "notebook", "sample"]),
  tokenizer: z.enum(TOKENIZERS).describe(
    "what splits captions into words: NLTK's rules, or Unicode's for other scripts",
  ),
  minCount: positive.describe("occurrences in the train split that make a word part of the vocabulary"),
  minVocabulary: count.describe("least rows of the embedding and the output layer"),
  maxLength: number(z.coerce.number().int().positive().max(MAX_LENGTH_LIMITS[1])).describe(
    "words of a caption that are kept, and the most that are written",
  ),
  batchSize: positive.describe("images computed at once (captions in the notebook recipe)"),
  gradientAccumulationSteps: positive.describe("batches whose gradients make one step"),
  epochs: positive.describe("most epochs"),
  patience: count.describe("epochs without a better validation after which training ends; 0: never"),
  bestBy: z.enum(VALIDATION_METRICS).describe(
    "what makes a validation better: its loss, or BLEU-4 or CIDEr of the captions written",
  ),
  applyExif: z.boolean().describe("turn images as their EXIF orientation says"),
  imageSize: number(z.coerce.number().int().min(16).max(Math.floor(SIDE_LIMITS[1] * 224 / 256))).describe(
    "side of the square that the CNN sees, in pixels",
  ),
  augmentation: z.enum(["none", "crop", "crop-flip"]).describe(
    "what a CNN that learns sees of an image: its center, any part of that size, or that or its mirror image",
  ),
  embedSize: positive.describe("width of word vectors"),
  hiddenSize: positive.describe("width of each LSTM layer"),
  languageLayers: count.describe("LSTM layers that read words alone"),
  fusionLayers: positive.describe("LSTM layers that read words and the image"),
  inject: z.enum(["first", "every"]).describe("where the image feature enters: the first step or every step"),
  encoder: z.enum(ENCODER_NAMES).describe("the image encoder"),
  encoderWidth: positive.describe(
    "channels of a ResNet's first layer; hundredths of EfficientNet-Lite's width coefficient",
  ),
  encoderBlocks: z.preprocess(
    (value) => typeof value === "string" ? value.split(",") : value,
    z.array(positive),
  ).describe("blocks of each of the encoder's stages"),
  embeddingDropout: share.describe("share of the word vectors' elements dropped in training"),
  lstmDropout: share.describe("share dropped between LSTM layers"),
  outputDropout: share.describe("share dropped before the output layer"),
  labelSmoothing: share.describe("share of each target that is spread over the vocabulary"),
  scheduledSampling: number(z.coerce.number().min(0).max(1)).describe(
    "share of the words given that are the model's own in the last epoch; grows from 0 in the first",
  ),
  optimizer: z.enum(["adam", "adamw"]).describe("Adam, or AdamW"),
  learningRate: rate.describe("highest step size, once the CNN learns"),
  encoderLearningRate: rate.describe("highest step size of the CNN"),
  schedule: z.enum(SCHEDULES).describe("course of the step size over the run"),
  warmupSteps: count.describe("first steps in which the step size rises; one-cycle has its own"),
  plateauFactor: number(z.coerce.number().gt(0).lt(1)).describe(
    "what the plateau schedule multiplies the step size by",
  ),
  plateauPatience: count.describe("epochs without a better validation that the plateau schedule bears"),
  weightDecay: rate.describe("weight decay"),
  encoderWeightDecay: rate.describe("weight decay of the CNN"),
  maxGradientNorm: rate.describe("2-norm that gradients are clipped to; 0: never"),
  frozenEpochs: count.describe("first epochs in which the CNN stands still, its BatchNorm statistics too"),
  frozenLearningRate: rate.describe("highest step size in those epochs"),
  trainableFrom: z.enum(ENCODER_STAGES).describe("first part of the CNN that learns; what is before stands still"),
  batchNorm: z.enum(["batch", "synchronized", "frozen"]).describe(
    "BatchNorm of the part that learns: normalize by the batch (synchronized: of all processes) and update the statistics, or keep to them",
  ),
  beamSize: number(z.coerce.number().int().positive().max(BEAM_SIZE_LIMITS[1])).describe(
    "captions pursued at once when captioning",
  ),
  objective: z.enum(["cross-entropy", "self-critical"]).describe(
    "what is learnt: the words of people's captions, or, by --self-critical, what earns CIDEr-D",
  ),
  samples: positive.describe("captions drawn of each image in self-critical training"),
  baseline: z.enum(["greedy", "samples"]).describe(
    "what their rewards are compared with: that of the greedy caption, or the mean of the image's other draws",
  ),
});

/** What validations can be compared by. */
export type ValidationMetric = typeof VALIDATION_METRICS[number];

/** The settings of a training run. */
export type Recipe = Readonly<z.infer<typeof schema>>;

/** The names of the recipes. */
export const RECIPE_NAMES: readonly Recipe["name"][] = schema.shape.name.options;

const SINGLE_LAYER = { languageLayers: 0, fusionLayers: 1 } satisfies Partial<Recipe>;

/** The default, LRCN with the image at every step, for a CNN that is trained from scratch. */
const LRCN: Recipe = {
  name: "lrcn",
  tokenizer: "nltk",
  minCount: 5,
  minVocabulary: 0,
  maxLength: 20,
  batchSize: 16,
  gradientAccumulationSteps: 1,
  epochs: 30,
  patience: 5,
  bestBy: "cider",
  applyExif: true,
  augmentation: "crop",
  embedSize: 512,
  hiddenSize: 512,
  ...SINGLE_LAYER,
  inject: "every",
  ...encoderSettings(DEFAULT_ENCODER),
  embeddingDropout: 0.5,
  lstmDropout: 0,
  outputDropout: 0.5,
  labelSmoothing: 0,
  scheduledSampling: 0,
  optimizer: "adamw",
  learningRate: 1e-3,
  encoderLearningRate: 1e-3,
  schedule: "one-cycle",
  warmupSteps: 0,
  plateauFactor: 0.5,
  plateauPatience: 2,
  weightDecay: 1e-4,
  encoderWeightDecay: 1e-4,
  maxGradientNorm: 5,
  frozenEpochs: 0,
  frozenLearningRate: 5e-4,
  batchNorm: "batch",
  beamSize: 3,
  objective: "cross-entropy",
  samples: 5,
  baseline: "samples",
};

/** What an encoder brings with it. */
function encoderSettings(encoder: EncoderName) {
  const { width, blocks, imageSize } = ENCODERS[encoder];
  const [trainableFrom = "conv1"] = stagesOf({ encoder });
  return {
    encoder,
    encoderWidth: width,
    encoderBlocks: [...blocks],
    imageSize,
    trainableFrom,
  } satisfies Partial<Recipe>;
}

/**
 * What changes when the CNN starts from pretrained weights: they are frozen for the first third of the epochs and changed
 * slowly afterwards, and keep the statistics that the decoder has learnt to read.
 */
function pretrainedSettings(epochs: unknown) {
  return {
    frozenEpochs: Math.ceil(Number(epochs) / 3),
    learningRate: 1e-4,
    encoderLearningRate: 1e-5,
    schedule: "cosine",
    batchNorm: "frozen",
  } satisfies Partial<Recipe>;
}

/** The seed notebook's numbers, its mistakes included. */
const NOTEBOOK: Recipe = {
  ...LRCN,
  name: "notebook",
  minCount: 1,
  minVocabulary: 15000,
  maxLength: 30,
  epochs: 5,
  patience: 0,
  bestBy: "loss",
  embedSize: 16,
  applyExif: false,
  augmentation: "none",
  inject: "first",
  embeddingDropout: 0,
  outputDropout: 0,
  optimizer: "adam",
  schedule: "constant",
  weightDecay: 0,
  encoderWeightDecay: 0,
  maxGradientNorm: 0,
  beamSize: 1,
};

/** Drawn scenes, at a size and for a time that two cores manage in minutes. */
const SAMPLE: Recipe = {
  ...LRCN,
  name: "sample",
  minCount: 1,
  batchSize: 32,
  epochs: 11,
  patience: 0,
  imageSize: 48,
  augmentation: "none",
  embedSize: 256,
  hiddenSize: 256,
  embeddingDropout: 0,
  outputDropout: 0,
  encoderLearningRate: 4e-4,
};

/**
 * Settings of a self-critical training that follows one of cross-entropy: the same data and model, a CNN that stands still,
 * and words drawn from the model as it is, with nothing dropped.
 *
 * @param recipe The former settings.
 * @param changes Settings to change, by name.
 * @returns All settings.
 * @throws {InputError} If the recipe cannot be gone on with so, or a setting is unknown or has a wrong value.
 */
export function selfCriticalRecipe({ name, ...former }: Recipe, changes: Readonly<Record<string, unknown>>): Recipe {
  if (name === "notebook") {
    throw new InputError("Cannot train self-critically after the notebook recipe: its captions have no end; use lrcn");
  }
  const { epochs = 10 } = changes;
  return makeRecipe(name, {
    ...former,
    ...{ objective: "self-critical", epochs, frozenEpochs: epochs, patience: 0, bestBy: "cider" },
    ...{ schedule: "constant", warmupSteps: 0, frozenLearningRate: 5e-5, augmentation: "none" },
    ...{ embeddingDropout: 0, lstmDropout: 0, outputDropout: 0, labelSmoothing: 0, scheduledSampling: 0 },
    ...changes,
  });
}

/**
 * Makes the settings of a run.
 *
 * @param name The recipe.
 * @param changes Settings to change, by name; texts are read as numbers where a number is needed.
 * @param options `pretrained`: whether the CNN starts from pretrained weights.
 * @returns All settings.
 * @throws {InputError} If a setting is unknown or has a wrong value.
 */
export function makeRecipe(
  name: Recipe["name"],
  changes: Readonly<Record<string, unknown>> = {},
  options: { pretrained?: boolean } = {},
): Recipe {
  const base = { lrcn: LRCN, notebook: NOTEBOOK, sample: SAMPLE }[name];
  const staged = options.pretrained && name === "lrcn" ? pretrainedSettings(changes["epochs"] ?? base.epochs) : {};
  const unknown = Object.keys(changes).find((key) => !Object.hasOwn(schema.shape, key) || key === "name");
  if (unknown !== undefined) {
    const known = Object.keys(schema.shape).filter((key) => key !== "name").join(", ");
    throw new InputError(`Cannot set '${unknown}': there is no such setting; known are ${known}`);
  }
  const named = ENCODER_NAMES.find((encoder) => encoder === changes["encoder"]);
  const encoder = named === undefined || named === base.encoder ? {} : encoderSettings(named);
  // The sample's scenes are small for all encoders.
  const size = name === "sample" ? { imageSize: base.imageSize } : {};
  const parsed = schema.safeParse({ ...base, ...encoder, ...size, ...staged, ...changes });
  if (parsed.success) return refuseUnfit(parsed.data);
  const issue = parsed.error.issues[0];
  const key = String(issue?.path[0]);
  const meaning = Object.entries(schema.shape).find(([name]) => name === key)?.[1].description;
  throw new InputError(`Cannot set '${key}' to '${changes[key]}': ${issue?.message} (${key}: ${meaning})`);
}

/**
 * A single sample has no others to be compared with. The notebook's shifts need the image first and two words after the first one, its captions are greedy, and the words
 * that it is given are not those after which it predicts.
 */
function refuseUnfit(recipe: Recipe): Recipe {
  const { name, inject, maxLength, beamSize, scheduledSampling, objective, baseline, samples } = recipe;
  const { encoder, encoderBlocks, trainableFrom } = recipe;
  const stages = stagesOf(recipe);
  if (encoderBlocks.length !== ENCODERS[encoder].blocks.length) {
    throw new InputError(
      `Cannot set 'encoderBlocks' to '${encoderBlocks}': ${encoder} has ${ENCODERS[encoder].blocks.length} stages`,
    );
  }
  if (!stages.includes(trainableFrom)) {
    throw new InputError(
      `Cannot set 'trainableFrom' to '${trainableFrom}': the stages of ${encoder} are ${stages.join(", ")}`,
    );
  }
  if (objective === "self-critical" && baseline === "samples" && samples < 2) {
    throw new InputError(
      "Cannot compare samples with each other: there is one of each image; set samples=2 or more",
    );
  }
  if (name !== "notebook" || (inject === "first" && maxLength >= 3 && beamSize === 1 && scheduledSampling === 0)) {
    return recipe;
  }
  throw new InputError(
    `Cannot use inject '${inject}', maxLength ${maxLength}, beamSize ${beamSize} and scheduledSampling ${scheduledSampling} in the ` +
      "notebook recipe: it needs inject=first, maxLength of 3 or more, beamSize=1 and scheduledSampling=0; leave these " +
      "settings, or use --recipe lrcn",
  );
}

/** Settings that matter only where the CNN learns. */
const FINETUNING: readonly string[] = [
  ...["learningRate", "encoderLearningRate", "encoderWeightDecay", "trainableFrom", "batchNorm", "augmentation"],
];

/**
 * Settings that a user gave and that do nothing beside the others.
 *
 * @param recipe All settings.
 * @param given The names of those that the user gave.
 * @returns A line for each.
 */
export function idleSettings(recipe: Recipe, given: readonly string[]): string[] {
  const { objective, epochs, frozenEpochs, schedule, languageLayers, fusionLayers } = recipe;
  const reasons: [names: readonly string[], idle: boolean, reason: string][] = [
    [
      FINETUNING,
      frozenEpochs >= epochs,
      `the CNN is frozen in all ${epochs} epochs, and frozenLearningRate is the rate`,
    ],
    [["frozenLearningRate"], frozenEpochs === 0, "the CNN is frozen in no epoch"],
    [["lstmDropout"], languageLayers + fusionLayers === 1, "there is one LSTM layer and none after it"],
    [["samples", "baseline"], objective === "cross-entropy", "captions are drawn in self-critical training alone"],
    [["warmupSteps"], schedule === "one-cycle", "the one-cycle schedule has a rise of its own"],
    [["plateauFactor", "plateauPatience"], schedule !== "plateau", `the schedule is ${schedule}`],
  ];
  return reasons.flatMap(([names, idle, reason]) =>
    names.filter((name) => idle && given.includes(name)).map((name) => `Warning: '${name}' does nothing: ${reason}`)
  );
}

/** What the help shows of a setting. */
export interface SettingDescription {
  /** Its name. */
  readonly name: string;
  /** What it does. */
  readonly meaning: string;
  /** The words that it may be, where there are but a few. */
  readonly choices: readonly string[];
  /** Its value in the lrcn recipe with a CNN from scratch. */
  readonly value: string;
  /** Its value where the CNN starts from pretrained weights. */
  readonly pretrained: string;
}

/** Describes every setting. */
export function describeSettings(): readonly SettingDescription[] {
  const values: Readonly<Record<string, unknown>> = LRCN;
  const pretrained: Readonly<Record<string, unknown>> = { ...LRCN, ...pretrainedSettings(LRCN.epochs) };
  return Object.entries(schema.shape).flatMap(([name, type]) => {
    const { description } = type;
    const choices = type instanceof z.ZodEnum ? type.options : [];
    const value = { value: String(values[name]), pretrained: String(pretrained[name]) };
    return description === undefined ? [] : [{ name, meaning: description, choices, ...value }];
  });
}

/** LSTM layers of the variants of Donahue et al. 2015: those that read words alone, and those that see the image. */
export const VARIANTS = {
  "1u": { languageLayers: 0, fusionLayers: 1 },
  "2u": { languageLayers: 0, fusionLayers: 2 },
  "2f": { languageLayers: 1, fusionLayers: 1 },
  "4f": { languageLayers: 2, fusionLayers: 2 },
} as const satisfies Readonly<Record<string, Partial<Recipe>>>;

/**
 * The pixels that an image's short side is scaled to before the square of `imageSize` is cut out, in ImageNet's
 * proportion of 256 to 224.
 *
 * @param imageSize Side of the square.
 * @returns The short side.
 */
export function shortSide(imageSize: number): number {
  return Math.round(256 * imageSize / 224);
}
