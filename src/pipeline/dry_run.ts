/**
 * What of a training would fail late: found out before its first epoch.
 *
 * @module
 */

import type { Engine } from "../ffi/engine.ts";
import { InputError } from "../input_error.ts";
import { type BatchSource, exampleBatches, inOrder } from "./example_batches.ts";
import type { Recipe } from "./recipe.ts";
import { stepOptions } from "./train.ts";
import type { EncodedExample } from "./training_data.ts";

/** A training, as far as its steps are concerned. */
export interface DryRunSource extends Omit<BatchSource, "features"> {
  /** The model. */
  readonly engine: Pick<Engine, "tryTrainStep">;
  /** The settings. */
  readonly recipe: Recipe;
}

/**
 * Goes through the step that needs the most memory: the longest captions, with as much of the CNN as ever learns. The model
 * is as before.
 *
 * @param source The model and where batches come from.
 * @param examples What is learnt from.
 * @throws {EngineError} If the memory is not enough.
 */
export async function dryRunLargestBatch(source: DryRunSource, examples: readonly EncodedExample[]): Promise<void> {
  const { engine, recipe } = source;
  const words = ({ captions }: EncodedExample) => captions.length * Math.max(...captions.map(({ length }) => length));
  const longest = examples.toSorted((a, b) => words(b) - words(a)).slice(0, recipe.batchSize);
  for await (const batch of exampleBatches({ ...source, features: undefined }, longest, inOrder(longest))) {
    await engine.tryTrainStep(recipe.gradientAccumulationSteps > 1 ? [batch, batch] : [batch], {
      ...stepOptions(recipe, recipe.epochs),
      learningRate: 0,
      encoderLearningRate: 0,
    });
  }
}

/**
 * Refuses to keep a random encoder frozen through all epochs: its features say nothing of an image.
 *
 * @param recipe The settings.
 * @param pretrained Whether the model begins with a file's weights.
 * @throws {InputError} If the encoder is random and never trains.
 */
export function refuseFrozenRandomEncoder({ epochs, frozenEpochs }: Recipe, pretrained: boolean): void {
  if (pretrained || frozenEpochs < epochs) return;
  throw new InputError(
    `Cannot train with an encoder that is random and frozen in all ${epochs} epochs: give it weights by ` +
      "--encoder-weights imagenet, or let it train by --finetune-after 0",
  );
}

/**
 * Refuses a batch of one small image: the CNN's last layers see one pixel of an image of 32, so BatchNorm has no variance.
 *
 * @param examples How many are learnt from.
 * @param recipe The settings.
 * @throws {InputError} If the last batch of an epoch would be one.
 */
export function refuseBatchOfOne(examples: number, recipe: Recipe): void {
  const { batchSize, imageSize, epochs, frozenEpochs, batchNorm } = recipe;
  if (imageSize > 32 || frozenEpochs >= epochs || batchNorm === "frozen") return;
  if (batchSize > 1 && examples % batchSize !== 1) return;
  throw new InputError(
    `Cannot train: ${examples} examples in batches of ${batchSize} leave a batch of one image, too few for BatchNorm at ` +
      `${imageSize} pixels; change --batch-size, or give an --image-size over 32`,
  );
}
