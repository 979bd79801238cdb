import { completeDecoding } from "../images/preprocessing.ts";
import { type CheckpointMetadata, openCheckpoint } from "../checkpoint/checkpoint.ts";
import { DEFAULT_ENCODER } from "../ffi/encoders.ts";
import { InputError } from "../input_error.ts";
import { Vocabulary } from "../text/vocabulary.ts";
import { makeRecipe, type Recipe, sideBeforeCrop } from "./recipe.ts";

/** A word of the new captions enters the vocabulary from this count on, unless `minCount` is given. */
const MIN_COUNT = 2;

/** A decoder that is trained already is changed with care. */
const LEARNING_RATE = 2e-4;

/** A checkpoint to fine-tune. */
export interface InitialModel {
  readonly path: string;
  /** Its vocabulary, which the fine-tuned model keeps and extends. */
  readonly words: readonly string[];
  /** The settings that its weights depend on: architecture, preprocessing and tokenizer. */
  readonly fixed: Partial<Recipe>;
  /** The settings that are its own unless others are given. */
  readonly defaults: Partial<Recipe>;
}

/**
 * Reads the settings and the vocabulary of a checkpoint to fine-tune.
 *
 * @throws {InputError} If the file cannot be read, or its model cannot be fine-tuned.
 */
export async function readInitialModel(path: string): Promise<InitialModel> {
  using checkpoint = await openCheckpoint(path);
  const { model, preprocessing, decoding, vocabulary } = checkpoint.metadata;
  if (new Vocabulary(vocabulary).end === undefined) {
    throw new InputError(
      `Cannot fine-tune '${path}': it is of the notebook recipe, whose captions have no end token; give a model of --recipe lrcn`,
    );
  }
  const fixed = {
    ...architectureOf(model),
    ...preprocessingOf(path, preprocessing),
    tokenizer: decoding.tokenizer ?? "nltk",
  };
  const { maxLength, beamSize, lengthPenalty = 0 } = decoding;
  const rates = { frozenLearningRate: LEARNING_RATE, learningRate: LEARNING_RATE };
  return {
    path,
    words: vocabulary,
    fixed,
    defaults: { minCount: MIN_COUNT, maxLength, beamSize, lengthPenalty, ...rates },
  };
}

function architectureOf(model: CheckpointMetadata["model"]): Partial<Recipe> {
  const { embedSize, hiddenSize, languageLayers, fusionLayers, inject, encoderWidth, encoderBlocks } = model;
  const { encoder = DEFAULT_ENCODER } = model;
  return { embedSize, hiddenSize, languageLayers, fusionLayers, inject, encoder, encoderWidth, encoderBlocks };
}

function preprocessingOf(
  path: string,
  preprocessing: CheckpointMetadata["preprocessing"],
) {
  const { imageSize, shortSide, resize = "crop" } = preprocessing;
  const expected = sideBeforeCrop({ imageSize, resize });
  if (shortSide === expected) return { imageSize, resize, ...completeDecoding(preprocessing) };
  throw new InputError(
    `Cannot fine-tune '${path}': it crops ${imageSize} pixels of ${shortSide}, but training crops them of ${expected}`,
  );
}

/**
 * The settings of a fine-tuning: those of pretrained weights, and the checkpoint's own.
 *
 * @param given The settings that the user gave, by name.
 * @param nameOf What the user calls a setting, for messages.
 * @throws {InputError} If a setting conflicts with the checkpoint's, is unknown or has a wrong value.
 */
export function fineTuningRecipe(
  { path, fixed, defaults }: InitialModel,
  given: Readonly<Record<string, unknown>>,
  nameOf: (setting: string) => string = (setting) => `'${setting}'`,
): Recipe {
  // Lists and numbers that are given as text read the same.
  const changed = Object.entries(fixed).find(([setting, value]) =>
    given[setting] !== undefined && `${given[setting]}` !== `${value}`
  );
  if (changed !== undefined) {
    const [setting, value] = changed;
    throw new InputError(
      `Cannot change ${nameOf(setting)}: '${path}' was trained with ${setting}=${value}; leave it out`,
    );
  }
  return makeRecipe("lrcn", { ...defaults, ...given, ...fixed }, { pretrained: true });
}

/**
 * Refuses options of a training that contradict a checkpoint to fine-tune.
 *
 * @throws {InputError} If one is given.
 */
export function refuseWithInitialModel(
  { encoderWeights, recipe = "lrcn" }: {
    readonly encoderWeights?: unknown;
    readonly recipe?: Recipe["name"] | undefined;
  },
): void {
  if (encoderWeights !== undefined) {
    throw new InputError("Cannot use encoder weights with a checkpoint to fine-tune, which has its own; leave one out");
  }
  if (recipe !== "lrcn") {
    throw new InputError(`Cannot fine-tune a checkpoint with the ${recipe} recipe; use the lrcn recipe`);
  }
}
