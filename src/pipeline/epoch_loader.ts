import type { ProcessGroup } from "../distributed/process_group.ts";
import type { ShardOptions } from "../distributed/shard.ts";
import { halfToEven } from "../images/preprocessing.ts";
import { InputError } from "../input_error.ts";
import { Random } from "../random.ts";
import { type EpochPlan, type ExampleBatch, exampleBatches } from "./example_batches.ts";
import type { Recipe } from "./recipe.ts";
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

/** Options of {@linkcode planEpoch}. */
export interface EpochPlanOptions {
  readonly seed: number;
  /** The epoch, from 1. */
  readonly epoch: number;
  readonly augmentation: Recipe["augmentation"];
  /** Pixels by which the resized image is larger than the crop. */
  readonly margin: number;
}

/** The augmentation that features of a frozen encoder allow: of each image there are those of its center and its flip. */
export function frozenAugmentation({ augmentation }: Pick<Recipe, "augmentation">): "none" | "flip" {
  return augmentation === "flip" || augmentation === "crop-flip" ? "flip" : "none";
}

/** Shuffles the examples and chooses a random crop of each. */
export function planEpoch(examples: number, options: EpochPlanOptions): EpochPlan {
  const { seed, epoch, augmentation, margin } = options;
  const random = new Random(seed * 100_003 + epoch);
  const order = random.shuffle(Array.from({ length: examples }, (_, index) => index));
  if (augmentation === "none") return { order, crops: [] };
  const center = halfToEven(margin);
  const crops = order.map(() => {
    const [top, left] = augmentation === "flip"
      ? [center, center]
      : [random.below(margin + 1), random.below(margin + 1)];
    return { top, left, flip: augmentation !== "crop" && random.below(2) === 1 };
  });
  return { order, crops };
}

/** The number of examples that an epoch trains on: all, except a last batch with fewer examples than ranks. */
export function shardedExamples(examples: number, { batchSize, worldSize }: Omit<ShardOptions, "rank">): number {
  const rest = examples % batchSize;
  return rest < worldSize ? examples - (worldSize === 1 ? 0 : rest) : examples;
}

/**
 * A rank's shard of an epoch: a part of each batch, so that the examples of a step are the same for any number of ranks.
 *
 * @param plan The epoch, or the rest of it from the start of a batch.
 */
export function shardPlan(plan: EpochPlan, options: ShardOptions): EpochPlan {
  const { rank, worldSize, batchSize } = options;
  if (worldSize === 1) return plan;
  const total = shardedExamples(plan.order.length, options);
  const mine: number[] = [];
  for (let start = 0; start < total; start += batchSize) {
    const length = Math.min(batchSize, total - start);
    const [first, end] = [rank, rank + 1].map((part) => Math.floor(part * length / worldSize));
    for (let place = first ?? 0; place < (end ?? 0); place++) mine.push(start + place);
  }
  const pick = <Item>(items: readonly Item[]) => mine.flatMap((place) => items[place] ?? []);
  return { order: pick(plan.order), crops: pick(plan.crops) };
}

/**
 * A rank's share of the batch size.
 *
 * @throws {InputError} If the batch cannot be divided evenly.
 */
export function batchSizeOfRank(batchSize: number, { worldSize }: Pick<ProcessGroup, "worldSize">): number {
  if (batchSize % worldSize === 0) return batchSize / worldSize;
  const nearest = Math.max(worldSize, Math.round(batchSize / worldSize) * worldSize);
  throw new InputError(
    `Cannot train: a batch of ${batchSize} cannot be divided evenly among ${worldSize} processes; give --batch-size ${nearest}`,
  );
}
