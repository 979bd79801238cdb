import { InputError } from "../input_error.ts";
import { exampleBatches, inOrder } from "./example_batches.ts";
import type { Recipe } from "./recipe.ts";
import { stepOptions } from "./step_options.ts";
import type { TrainingContext } from "./training_context.ts";
import type { EncodedExample } from "./training_data.ts";

/**
 * Runs the step that needs the most memory, so that training does not fail late: the longest captions, with as much of the
 * encoder as is ever trained. The model does not change.
 *
 * @param batchSize Examples in a batch of this rank.
 * @throws {EngineError} If memory is not enough.
 */
export async function dryRunLargestBatch(
  context: Pick<TrainingContext, "engine" | "recipe" | "images">,
  examples: readonly EncodedExample[],
  batchSize: number,
): Promise<void> {
  const { engine, recipe } = context;
  const tokens = ({ captions }: EncodedExample) => captions.length * Math.max(...captions.map(({ length }) => length));
  const longest = examples.toSorted((a, b) => tokens(b) - tokens(a)).slice(0, batchSize);
  for await (const batch of exampleBatches(context, longest, inOrder(longest), { batchSize })) {
    await engine.tryTrainStep(recipe.gradientAccumulationSteps > 1 ? [batch, batch] : [batch], {
      ...stepOptions(recipe, recipe.epochs),
      learningRate: 0,
      encoderLearningRate: 0,
    });
  }
}

/**
 * Refuses to keep a random encoder frozen in all epochs: its features say nothing about an image.
 *
 * @param pretrained Whether the model starts from a file's weights.
 * @throws {InputError} If the encoder is random and never trained.
 */
export function refuseFrozenRandomEncoder({ epochs, frozenEpochs }: Recipe, pretrained: boolean): void {
  if (pretrained || frozenEpochs < epochs) return;
  throw new InputError(
    `Cannot train with an encoder that is random and frozen in all ${epochs} epochs: give it weights with ` +
      "--encoder-weights imagenet, or train it with --finetune-after 0",
  );
}

/**
 * Refuses a batch of one small image: the encoder's last stage reduces 32 pixels to one, and BatchNorm has no variance.
 *
 * @param examples Size of the training set.
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
