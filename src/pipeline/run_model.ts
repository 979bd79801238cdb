import type { CheckpointMetadata } from "../checkpoint/checkpoint.ts";
import type { ModelSettings } from "../ffi/settings.ts";
import type { Dataset } from "../data/dataset.ts";
import { type Recipe, sideBeforeCrop } from "./recipe.ts";
import type { TrainingData } from "./training_data.ts";

/** The dimensions of a recipe's model, for a vocabulary of `words`. */
export function modelSettings(recipe: Recipe, words: number): ModelSettings {
  const { embedSize, hiddenSize, languageLayers, fusionLayers, inject } = recipe;
  const { encoder, encoderWidth, encoderBlocks } = recipe;
  const vocabularySize = Math.max(words, recipe.minVocabulary);
  const dimensions = { vocabularySize, embedSize, hiddenSize, languageLayers, fusionLayers, inject };
  return { ...dimensions, encoder, encoderWidth, encoderBlocks };
}

/** The metadata of a run's checkpoints before the first epoch. */
export function checkpointMetadata(
  dataset: Dataset,
  recipe: Recipe,
  data: Pick<TrainingData, "vocabulary" | "firstWord">,
  { model, seed }: { readonly model: ModelSettings; readonly seed: number },
): CheckpointMetadata {
  const {
    imageSize,
    resize,
    applyExif,
    colorManagement,
    alpha,
    shrinkOnLoad,
    maxLength,
    beamSize,
    lengthPenalty,
    tokenizer,
  } = recipe;
  // With shifted targets the model is never given the last of its 30 tokens: it generates 29.
  const length = recipe.collation === "shifted"
    ? { firstWord: data.firstWord, maxLength: maxLength - 1, beamSize }
    : { maxLength, beamSize, lengthPenalty };
  const decoding = tokenizer === "nltk" ? length : { ...length, tokenizer };
  return {
    recipe: recipe.name,
    model,
    preprocessing: {
      ...{ imageSize, shortSide: sideBeforeCrop(recipe), resize },
      ...{ applyExif, colorManagement, alpha, shrinkOnLoad },
    },
    vocabulary: data.vocabulary.words,
    decoding,
    datasetFingerprint: dataset.fingerprint,
    splitBy: recipe.splitBy,
    ...(dataset.officialSplits === undefined && { splitSeed: seed }),
    epoch: 0,
    metrics: {},
  };
}
