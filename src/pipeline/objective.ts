import { allReduceSum } from "../distributed/collectives.ts";
import type { Batch } from "../ffi/batch.ts";
import { Random } from "../random.ts";
import { ciderReward } from "./cider_reward.ts";
import type { ExampleBatch } from "./example_batches.ts";
import { Mean } from "./mean.ts";
import { selfCriticalBatch } from "./self_critical.ts";
import type { TrainingContext } from "./training_context.ts";

/** What a step learns from: the batches of an {@linkcode Objective}. */
export interface ObjectiveBatches {
  readonly batches: readonly Batch[];
  /** Mean reward over all processes, if captions were sampled. */
  readonly reward: number | undefined;
}

/** Makes the batches of a step, numbered from 0 in its epoch, from 1. */
export type Objective = (batches: readonly ExampleBatch[], epoch: number, step: number) => Promise<ObjectiveBatches>;

/** The objective of a recipe: the references themselves, or sampled captions weighted by their reward. */
export function objectiveOf(context: TrainingContext): Objective {
  if (context.recipe.objective === "cross-entropy") return (batches) => Promise.resolve({ batches, reward: undefined });
  const { engine, recipe, seed, vocabulary, metadata, splits, group } = context;
  const { gradientAccumulationSteps, samples, baseline } = recipe;
  const reward = ciderReward(splits.train);
  return async (batches, epoch, step) => {
    const sampled: Batch[] = [];
    const rewards = new Mean();
    // Another seed for each batch of a run, on each rank.
    const first = new Random(seed * 100_003 + epoch).below(2 ** 32) + step * gradientAccumulationSteps;
    for (const [index, { images, examples }] of batches.entries()) {
      const place = (first + index) * group.worldSize + group.rank;
      const options = { ...metadata, vocabulary, reward, baseline, samples, seed: place };
      const { batch, reward: mean } = await selfCriticalBatch(engine, { images, examples }, options);
      sampled.push(batch);
      rewards.add(mean, images.count);
    }
    const [sum = NaN, weight = NaN] = await allReduceSum(group, [rewards.sum, rewards.weight]);
    return { batches: sampled, reward: sum / weight };
  };
}
