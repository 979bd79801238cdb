import { writeCaptions } from "../captioning/write_captions.ts";
import type { Example } from "../data/dataset.ts";
import { allGatherObject, allReduceSum, anyRank } from "../distributed/collectives.ts";
import type { ProcessGroup } from "../distributed/process_group.ts";
import { shardBatches } from "../distributed/shard.ts";
import { scoreCaptions, tokenizeCaptions } from "../evaluation/score_captions.ts";
import { scoringTokenizer } from "../evaluation/scoring_tokenizer.ts";
import type { Batch, Features } from "../ffi/batch.ts";
import { concatenateFeatures, selectFeatures } from "../ffi/feature_rows.ts";
import { exampleBatches, inOrder } from "./example_batches.ts";
import { Mean } from "./mean.ts";
import type { Recipe, ValidationMetric } from "./recipe_schema.ts";
import type { TrainingContext } from "./training_context.ts";
import type { EncodedExample } from "./training_data.ts";

/** Images captioned together: a decoding step for many takes little longer than one for few. */
const CAPTION_BATCH = 64;

/** The metrics of a validation. */
export interface Validation {
  /** Mean cross-entropy of a token in nats, without dropout (notebook recipe: mean of the batches' means). */
  readonly validationLoss: number;
  /** How much the loss rises, in nats, if each caption is paired with another image; 0 if the model ignores images. */
  readonly mismatchedImageLossGap: number;
  /** Fraction of distinct captions among the generated ones. */
  readonly distinctFraction: number;
  /** BLEU-4 of the greedy captions, 0 to 1, as `deno task evaluate` computes it. */
  readonly bleu4: number;
  /** CIDEr-D of the greedy captions, 0 to 10, likewise. */
  readonly cider: number;
}

/** Options of {@linkcode validate}. */
export interface ValidateOptions {
  /**
   * The images' features, to be read instead of pixels.
   *
   * @default {undefined}
   */
  readonly features?: TrainingContext["frozenFeatures"];
  /** Ends the validation. */
  readonly signal?: AbortSignal;
}

const NOT_FINITE: Validation = {
  validationLoss: NaN,
  mismatchedImageLossGap: NaN,
  distinctFraction: NaN,
  bleu4: NaN,
  cider: NaN,
};

/**
 * Validates a model. The encoder runs once per batch; the loss, the loss with mismatched images and the greedy captions all
 * come from its features.
 *
 * @returns The metrics, the same on all ranks; NaN if the loss is not finite or the signal is aborted on any rank.
 */
export async function validate(
  context: Pick<TrainingContext, "engine" | "recipe" | "images" | "vocabulary" | "metadata" | "group">,
  examples: readonly EncodedExample[],
  { features: cached, signal }: ValidateOptions = {},
): Promise<Validation> {
  const { engine, recipe, vocabulary, metadata, group } = context;
  const mine = shardBatches(examples, { ...group, batchSize: recipe.batchSize });
  const [matched, gap] = [new Mean(), new Mean()];
  const captionOf = new Map<Example, string>();
  let pending: { readonly images: Example[]; readonly features: Features[] } = { images: [], features: [] };

  async function captionPending(): Promise<void> {
    const { images, features } = pending;
    pending = { images: [], features: [] };
    if (images.length === 0) return;
    const options = { ...metadata, vocabulary, beamSize: 1 };
    const captions = await writeCaptions(engine, concatenateFeatures(features), options);
    for (const [index, image] of images.entries()) {
      const caption = captions[index]?.text;
      if (caption !== undefined) captionOf.set(image, caption);
    }
  }

  let previous: Features | undefined;
  let failed = false;
  for await (const batch of exampleBatches(context, mine, inOrder(mine), { features: cached })) {
    if (signal?.aborted) break;
    const features = "values" in batch.images ? batch.images : await engine.encode(batch.images);
    const { loss, tokens } = await engine.evaluateStep({ ...batch, images: features });
    failed = !Number.isFinite(loss);
    if (failed) break;
    matched.add(loss, lossWeight(recipe, tokens));
    const mismatched = withOtherImages(batch, features, previous);
    if (mismatched !== undefined) {
      gap.add((await engine.evaluateStep(mismatched)).loss - loss, lossWeight(recipe, tokens));
    }
    previous = features;
    // An image has several examples if captions are split by themselves.
    const images = batch.examples.map(({ example }) => example);
    const fresh = images.flatMap((image, index) =>
      captionOf.has(image) || pending.images.includes(image) || images.indexOf(image) < index ? [] : [index]
    );
    pending.images.push(...fresh.flatMap((index) => images[index] ?? []));
    if (fresh.length > 0) pending.features.push(selectFeatures(features, fresh));
    if (pending.images.length >= CAPTION_BATCH) await captionPending();
  }
  if (await anyRank(group, failed || (signal?.aborted ?? false))) return NOT_FINITE;
  await captionPending();
  const sums = await allReduceSum(group, [matched.sum, matched.weight, gap.sum, gap.weight]);
  const [loss = 0, weight = 0, gapLoss = 0, gapWeight = 0] = sums;
  const captions = await gatherCaptions(examples, captionOf, group);
  const { corpus } = scoreCaptions(tokenizeCaptions(captions, scoringTokenizer(recipe.tokenizer)));
  return {
    validationLoss: loss / weight,
    mismatchedImageLossGap: gapWeight > 0 ? gapLoss / gapWeight : 0,
    distinctFraction: new Set(captions.map(({ caption }) => caption)).size / captions.length,
    bleu4: corpus.Bleu_4,
    cider: corpus.CIDEr,
  };
}

/** The captions of all ranks, in the order of the images. */
async function gatherCaptions(
  examples: readonly EncodedExample[],
  captionOf: ReadonlyMap<Example, string>,
  group: ProcessGroup,
): Promise<{ readonly caption: string; readonly references: readonly string[] }[]> {
  const images = [...new Set(examples.map(({ example }) => example))];
  const onAllRanks = await allGatherObject(group, images.map((image) => captionOf.get(image) ?? null));
  return images.flatMap(({ captions: references }, index) => {
    const caption = onAllRanks.map((captions) => captions[index]).find((caption) => typeof caption === "string");
    return typeof caption === "string" ? [{ caption, references }] : [];
  });
}

/** The weight of a batch's mean loss in the mean of an epoch. */
export function lossWeight({ lossMean }: Pick<Recipe, "lossMean">, tokens: number): number {
  return lossMean === "batch" ? 1 : tokens;
}

/** The score by which validations are compared; lower is better. */
export function scoreOf(validation: Validation, by: ValidationMetric): number {
  const { validationLoss } = validation;
  // Of equal scores, such as the zeros of the first epochs, the one with the lower loss is better.
  return by === "loss" ? validationLoss : 1e-6 * validationLoss - validation[by];
}

/** Each caption with the next image; in a batch of one image, with one of the previous batch. */
function withOtherImages(batch: Batch, features: Features, previous: Features | undefined): Batch | undefined {
  const { count } = features;
  if (count > 1) {
    return {
      ...batch,
      images: features,
      imageOfRow: batch.imageOfRow.map((image) => (image + 1) % count),
    };
  }
  return previous && { ...batch, images: selectFeatures(previous, [0]) };
}
