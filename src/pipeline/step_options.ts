import type { TrainStepOptions } from "../ffi/settings.ts";
import type { Recipe } from "./recipe.ts";

/** Whether the encoder is frozen in an epoch, from 1. */
export function isFrozen({ frozenEpochs }: Recipe, epoch: number): boolean {
  return epoch <= frozenEpochs;
}

/** The options of the steps of an epoch, from 1, except their learning rates. */
export function stepOptions(
  recipe: Recipe,
  epoch: number,
): Omit<TrainStepOptions, "learningRate" | "encoderLearningRate"> {
  const { epochs, scheduledSampling } = recipe;
  return {
    optimizer: recipe.optimizer,
    trainableFrom: isFrozen(recipe, epoch) ? "none" : recipe.trainableFrom,
    batchNorm: recipe.batchNorm,
    featureDropout: recipe.featureDropout,
    embeddingDropout: recipe.embeddingDropout,
    lstmDropout: recipe.lstmDropout,
    outputDropout: recipe.outputDropout,
    labelSmoothing: recipe.labelSmoothing,
    // Grows from 0 in the first epoch.
    scheduledSampling: scheduledSampling * (epochs > 1 ? (epoch - 1) / (epochs - 1) : 1),
    weightDecay: recipe.weightDecay,
    encoderWeightDecay: recipe.encoderWeightDecay,
    maxGradientNorm: recipe.maxGradientNorm,
  };
}
