import { batchSizeOfRank, frozenAugmentation, planEpoch, shardedExamples, shardPlan } from "./epoch_plan.ts";
import { type ExampleBatch, exampleBatches } from "./example_batches.ts";
import { isFrozen } from "./step_options.ts";
import type { TrainingContext } from "./training_context.ts";

/** The batches of an epoch. */
export interface EpochLoader {
  /** Steps of the whole epoch. */
  readonly steps: number;
  /** This rank's batches for each step that is left; each is loaded while the one before is trained on. */
  readonly batches: AsyncIterable<readonly ExampleBatch[]>;
}

/** The number of steps of an epoch. */
export function stepsOfEpoch({ recipe, splits: { train }, group }: TrainingContext): number {
  const { batchSize, gradientAccumulationSteps } = recipe;
  const examples = shardedExamples(train.length, { worldSize: group.worldSize, batchSize });
  return Math.ceil(examples / (batchSize * gradientAccumulationSteps));
}

/** Shuffles, augments and shards the training set for an epoch, from 1, and starts it at a step, from 0. */
export function loadEpoch(context: TrainingContext, epoch: number, firstStep: number): EpochLoader {
  const { recipe, seed, splits: { train }, images, group, frozenFeatures } = context;
  const frozen = isFrozen(recipe, epoch);
  const plan = planEpoch(train.length, {
    seed,
    epoch,
    augmentation: frozen ? frozenAugmentation(recipe) : recipe.augmentation,
    margin: images.side - recipe.imageSize,
  });
  const examplesPerStep = recipe.batchSize * recipe.gradientAccumulationSteps;
  const sharding = { rank: group.rank, worldSize: group.worldSize, batchSize: recipe.batchSize };
  const left = {
    order: plan.order.slice(firstStep * examplesPerStep),
    crops: plan.crops.slice(firstStep * examplesPerStep),
  };
  const batches = exampleBatches(context, train, shardPlan(left, sharding), {
    batchSize: batchSizeOfRank(recipe.batchSize, group),
    features: frozen ? frozenFeatures : undefined,
    // The other processes wait for this one's step.
    strict: group.worldSize > 1,
  });
  return {
    steps: stepsOfEpoch(context),
    batches: inGroups(batches, recipe.gradientAccumulationSteps),
  };
}

async function* inGroups<Item>(items: AsyncIterable<Item>, size: number): AsyncGenerator<Item[], void, undefined> {
  let group: Item[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
