/**
 * Recipes: presets of the settings of a training run.
 *
 * @module
 */

import { z } from "zod";
import { DEFAULT_ENCODER, ENCODER_NAMES, type EncoderName, ENCODERS, stagesOf } from "../ffi/encoders.ts";
import { InputError } from "../input_error.ts";
import { type Recipe, RECIPE_SCHEMA } from "./recipe_schema.ts";
import { similarNames } from "./similar_setting.ts";

export type { Recipe };

/** The names of the recipes. */
export const RECIPE_NAMES: readonly Recipe["name"][] = RECIPE_SCHEMA.shape.name.options;

const SINGLE_LAYER = { languageLayers: 0, fusionLayers: 1 } satisfies Partial<Recipe>;

/** The default, LRCN with the image at every step, for a CNN that is trained from scratch. */
const LRCN: Recipe = {
  name: "lrcn",
  splitBy: "image",
  collation: "masked",
  lossMean: "token",
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
  colorManagement: true,
  alpha: "white",
  shrinkOnLoad: true,
  resize: "crop",
  augmentation: "crop",
  embedSize: 512,
  hiddenSize: 512,
  ...SINGLE_LAYER,
  inject: "every",
  ...encoderSettings(DEFAULT_ENCODER),
  initialization: "zero-padding",
  embeddingStd: 1,
  featureDropout: 0,
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
  lengthPenalty: 0,
  objective: "cross-entropy",
  samples: 5,
  baseline: "samples",
  exportPth: false,
};

/** The settings that depend on the encoder. */
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
 * A pretrained encoder is frozen while the decoder learns, for three quarters of the epochs, and fine-tuned slowly
 * afterwards. Its BatchNorm keeps the running statistics that the decoder was trained on. The values are those of the best
 * run on Flickr8k's validation split, docs/results.md.
 */
function pretrainedSettings(epochs: unknown = 16) {
  return {
    epochs: Number(epochs),
    frozenEpochs: Math.ceil(Number(epochs) * 3 / 4),
    frozenLearningRate: 8e-4,
    learningRate: 2e-4,
    encoderLearningRate: 5e-5,
    batchNorm: "frozen",
    augmentation: "crop-flip",
    featureDropout: 0.2,
    labelSmoothing: 0.1,
    beamSize: 5,
    lengthPenalty: 1,
  } satisfies Partial<Recipe>;
}

/** The seed notebook's arithmetic, mistakes included. */
const NOTEBOOK: Recipe = {
  ...LRCN,
  name: "notebook",
  splitBy: "caption",
  collation: "shifted",
  lossMean: "batch",
  initialization: "random",
  exportPth: true,
  minCount: 1,
  minVocabulary: 15000,
  maxLength: 30,
  epochs: 5,
  patience: 0,
  bestBy: "loss",
  embedSize: 16,
  applyExif: false,
  colorManagement: false,
  alpha: "drop",
  shrinkOnLoad: false,
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

/** Rendered scenes, and a model that two cores train on them in a minute and a half. */
const SAMPLE: Recipe = {
  ...LRCN,
  name: "sample",
  minCount: 1,
  batchSize: 32,
  epochs: 5,
  patience: 0,
  encoder: "resnet18",
  encoderWidth: 32,
  encoderBlocks: [1, 1, 1, 1],
  imageSize: 48,
  augmentation: "none",
  embedSize: 64,
  hiddenSize: 128,
  embeddingDropout: 0,
  outputDropout: 0,
  learningRate: 3e-3,
  encoderLearningRate: 5e-3,
};

/** A recipe as `--recipe` names it. */
interface Preset {
  readonly settings: Recipe;
  /** Changes for an encoder with pretrained weights. */
  readonly pretrained: (epochs?: unknown) => Partial<Recipe>;
  /** The default of `--precision`. */
  readonly precision: "auto" | "fp32";
  /** Whether it renders its own scenes instead of reading a dataset. */
  readonly rendersData: boolean;
}

const PRESETS: Readonly<Record<Recipe["name"], Preset>> = {
  lrcn: { settings: LRCN, pretrained: pretrainedSettings, precision: "auto", rendersData: false },
  // The notebook computes in float32, and its numbers are meant to be compared.
  notebook: { settings: NOTEBOOK, pretrained: () => ({}), precision: "fp32", rendersData: false },
  sample: { settings: SAMPLE, pretrained: () => ({}), precision: "auto", rendersData: true },
};

/** What a recipe decides besides its settings. */
export function presetOf(name: Recipe["name"]): Pick<Preset, "precision" | "rendersData"> {
  return PRESETS[name];
}

/**
 * The settings of a self-critical training that continues a run: the same data and model, a frozen encoder, no dropout.
 *
 * @param changes Settings to change, by name.
 * @throws {InputError} If the recipe's captions have no end token, or a setting is unknown or has a wrong value.
 */
export function selfCriticalRecipe({ name, ...former }: Recipe, changes: Readonly<Record<string, unknown>>): Recipe {
  if (former.collation === "shifted") {
    throw new InputError(
      `Cannot train self-critically after the ${name} recipe: its captions have no end token; use --recipe lrcn`,
    );
  }
  const { epochs = 10 } = changes;
  return makeRecipe(name, {
    ...former,
    objective: "self-critical",
    epochs,
    frozenEpochs: epochs,
    patience: 3,
    bestBy: "cider",
    schedule: "constant",
    warmupSteps: 0,
    frozenLearningRate: 5e-5,
    augmentation: "none",
    featureDropout: 0,
    embeddingDropout: 0,
    lstmDropout: 0,
    outputDropout: 0,
    labelSmoothing: 0,
    scheduledSampling: 0,
    ...changes,
  });
}

/** Whether training reads only features once they are computed, so that it needs no cache of pixels. */
export function needsOnlyFeatures({ epochs, frozenEpochs }: Pick<Recipe, "epochs" | "frozenEpochs">): boolean {
  return frozenEpochs >= epochs;
}

/**
 * Makes the settings of a run.
 *
 * @param changes Settings to change, by name; texts are converted to numbers where a number is needed.
 * @param options `pretrained`: whether the encoder starts from pretrained weights.
 * @throws {InputError} If a setting is unknown, has a wrong value, or contradicts another.
 */
export function makeRecipe(
  name: Recipe["name"],
  changes: Readonly<Record<string, unknown>> = {},
  options: { readonly pretrained?: boolean } = {},
): Recipe {
  const { settings, pretrained } = PRESETS[name];
  const staged = options.pretrained ? pretrained(changes["epochs"]) : {};
  const unknown = Object.keys(changes).find((key) => !Object.hasOwn(RECIPE_SCHEMA.shape, key) || key === "name");
  if (unknown !== undefined) {
    const known = Object.keys(RECIPE_SCHEMA.shape).filter((key) => key !== "name");
    const similar = similarNames(unknown, known);
    const remedy = similar.length > 0
      ? `did you mean ${similar.join(" or ")}? deno task train --help lists all`
      : `known are ${known.join(", ")}`;
    throw new InputError(`Cannot set '${unknown}': there is no such setting; ${remedy}`);
  }
  const named = ENCODER_NAMES.find((encoder) => encoder === changes["encoder"]);
  const encoder = named === undefined || named === settings.encoder ? {} : encoderSettings(named);
  // The sample's scenes are small, whichever encoder reads them.
  const size = name === "sample" ? { imageSize: settings.imageSize } : {};
  const parsed = RECIPE_SCHEMA.safeParse({ ...settings, ...encoder, ...size, ...staged, ...changes });
  if (parsed.success) {
    refuseContradictions(parsed.data);
    return parsed.data;
  }
  const issue = parsed.error.issues[0];
  const key = String(issue?.path[0]);
  const meaning = Object.entries(RECIPE_SCHEMA.shape).find(([name]) => name === key)?.[1].description;
  throw new InputError(`Cannot set '${key}' to '${changes[key]}': ${issue?.message} (${key}: ${meaning})`);
}

function refuseContradictions(recipe: Recipe): void {
  const { collation, splitBy, inject, maxLength, beamSize, scheduledSampling, objective, baseline, samples } = recipe;
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
    throw new InputError("Cannot compare samples with each other: there is one per image; set samples=2 or more");
  }
  // Shifted targets need the image first and two more tokens; their captions are greedy, and a token that the model is
  // given is not the one before its target.
  if (
    collation === "masked" ||
    (splitBy === "caption" && inject === "first" && maxLength >= 3 && beamSize === 1 && scheduledSampling === 0)
  ) return;
  throw new InputError(
    `Cannot use splitBy '${splitBy}', inject '${inject}', maxLength ${maxLength}, beamSize ${beamSize} and scheduledSampling ${scheduledSampling} with ` +
      "shifted collation: it needs splitBy=caption, inject=first, maxLength of 3 or more, beamSize=1 and scheduledSampling=0; leave these " +
      "settings, or use --recipe lrcn",
  );
}

/** Settings that have no effect while the encoder is frozen. */
const FINETUNING: readonly string[] = [
  ...["learningRate", "encoderLearningRate", "encoderWeightDecay", "trainableFrom", "batchNorm"],
];

/**
 * Finds settings without effect.
 *
 * @param given The names of the settings that the user gave.
 * @returns A line for each.
 */
export function idleSettings(recipe: Recipe, given: readonly string[]): string[] {
  const { objective, epochs, frozenEpochs, schedule, languageLayers, fusionLayers, augmentation, resize } = recipe;
  const reasons: [names: readonly string[], idle: boolean, reason: string][] = [
    [
      FINETUNING,
      frozenEpochs >= epochs,
      `the encoder is frozen in all ${epochs} epochs, which use frozenLearningRate`,
    ],
    [["augmentation"], augmentation === "crop" && frozenEpochs >= epochs, "a frozen encoder sees only center crops"],
    [["augmentation"], augmentation === "crop" && resize === "stretch", "stretched images are not cropped"],
    [["lengthPenalty"], recipe.collation === "shifted", "captions of the notebook recipe are greedy"],
    [["frozenLearningRate"], frozenEpochs === 0, "the encoder is frozen in no epoch"],
    [["lstmDropout"], languageLayers + fusionLayers === 1, "there is only one LSTM layer"],
    [["samples", "baseline"], objective === "cross-entropy", "captions are sampled only in self-critical training"],
    [["warmupSteps"], schedule === "one-cycle", "the one-cycle schedule has its own warmup"],
    [["plateauFactor", "plateauPatience"], schedule !== "plateau", `the schedule is ${schedule}`],
  ];
  return reasons.flatMap(([names, idle, reason]) =>
    names.filter((name) => idle && given.includes(name)).map((name) => `Warning: '${name}' has no effect: ${reason}`)
  );
}

/** A setting in the help text. */
export interface SettingDescription {
  readonly name: string;
  readonly meaning: string;
  /** The allowed words, if it is one of a few. */
  readonly choices: readonly string[];
  /** Its value in the lrcn recipe without pretrained weights. */
  readonly value: string;
  /** Its value in the lrcn recipe with pretrained weights. */
  readonly pretrained: string;
}

/** Describes every setting. */
export function describeSettings(): readonly SettingDescription[] {
  const values: Readonly<Record<string, unknown>> = { ...LRCN };
  const pretrained: Readonly<Record<string, unknown>> = { ...LRCN, ...pretrainedSettings() };
  return Object.entries(RECIPE_SCHEMA.shape).flatMap(([name, type]) => {
    const { description } = type;
    const choices = type instanceof z.ZodEnum ? type.options.map(String) : [];
    const value = { value: String(values[name]), pretrained: String(pretrained[name]) };
    return description === undefined ? [] : [{ name, meaning: description, choices, ...value }];
  });
}

/** The variants of Donahue et al. 2015, section 4. */
export const VARIANTS = {
  "1u": { languageLayers: 0, fusionLayers: 1 },
  "2u": { languageLayers: 0, fusionLayers: 2 },
  "2f": { languageLayers: 1, fusionLayers: 1 },
  "4f": { languageLayers: 2, fusionLayers: 2 },
} as const satisfies Readonly<Record<string, Partial<Recipe>>>;

/**
 * The length in pixels that an image's short side is resized to before the center crop, in ImageNet's proportion of 256 to
 * 224; a stretched image is not cropped.
 */
export function sideBeforeCrop({ imageSize, resize }: Pick<Recipe, "imageSize" | "resize">): number {
  return resize === "stretch" ? imageSize : Math.round(256 * imageSize / 224);
}
