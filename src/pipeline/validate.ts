/**
 * What a model is worth after an epoch: its loss on images it does not learn from, and the captions it writes.
 *
 * @module
 */

import { allGatherObject, allReduceSum, anyRank } from "../distributed/collectives.ts";
import { type ProcessGroup, SINGLE_PROCESS } from "../distributed/process_group.ts";
import { shardBatches } from "../distributed/shard.ts";
import { writeCaptions } from "../captioning/write_captions.ts";
import type { CheckpointMetadata } from "../checkpoint/checkpoint.ts";
import { scoreCaptions, tokenizeCaptions } from "../evaluation/score_captions.ts";
import { scoringTokenizer } from "../evaluation/scoring_tokenizer.ts";
import type { Batch, Features } from "../ffi/batch.ts";
import type { Engine } from "../ffi/engine.ts";
import type { Example } from "../data/dataset.ts";
import { type BatchSource, exampleBatches, inOrder } from "./example_batches.ts";
import { concatenateFeatures, selectFeatures } from "../ffi/feature_rows.ts";
import { Mean } from "./mean.ts";
import type { Recipe, ValidationMetric } from "./recipe.ts";
import type { EncodedExample } from "./training_data.ts";
import type { Vocabulary } from "../text/vocabulary.ts";

const WRITTEN_AT_ONCE = 64;

/** What a validation finds. */
export interface Validation {
  /** Mean cross-entropy of a word in nats, with nothing dropped (in the notebook recipe: mean of the batches' means). */
  readonly validationLoss: number;
  /** What the loss is higher by, in nats, where each caption is given another image: 0 if images are ignored. */
  readonly mismatchedImageLossGap: number;
  /** Share of different captions among those written for the images. */
  readonly distinctFraction: number;
  /** BLEU-4 of these captions, 0 to 1, as `deno task evaluate` computes it. */
  readonly bleu4: number;
  /** CIDEr-D of these captions, 0 to 10, likewise. */
  readonly cider: number;
}

/** What is validated. */
export interface ValidationSource extends BatchSource {
  /** The model. */
  readonly engine: Pick<Engine, "encode" | "evaluateStep" | "startDecoding">;
  /** The settings. */
  readonly recipe: Pick<Recipe, "name" | "tokenizer" | "batchSize" | "imageSize">;
  /** The words. */
  readonly vocabulary: Vocabulary;
  /** How captions are written. */
  readonly metadata: Pick<CheckpointMetadata, "decoding" | "model">;
}

/** Options of {@linkcode validate}. */
export interface ValidateOptions {
  /** Ends the validation. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Processes that validate together, each a part of the batches.
   *
   * @default {SINGLE_PROCESS}
   */
  readonly group?: ProcessGroup;
}

const NOTHING: Validation = {
  validationLoss: NaN,
  mismatchedImageLossGap: NaN,
  distinctFraction: NaN,
  bleu4: NaN,
  cider: NaN,
};

/**
 * Validates a model: the CNN runs once for each batch, then the right loss, the loss with another image in each
 * one's place, and greedy captions come from its features.
 *
 * @param source The model and its data.
 * @param examples What it is validated on.
 * @param options See {@linkcode ValidateOptions}.
 * @returns What was found, the same on all ranks; of no worth where the signal is aborted on one; NaN where the model gives no numbers any more.
 */
export async function validate(
  source: ValidationSource,
  examples: readonly EncodedExample[],
  { signal, group = SINGLE_PROCESS }: ValidateOptions = {},
): Promise<Validation> {
  const { engine, recipe, vocabulary, metadata } = source;
  const share = shardBatches(examples, { ...group, batchSize: recipe.batchSize });
  const [right, gap] = [new Mean(), new Mean()];
  const written = new Map<Example, string>();
  let unwritten: { readonly examples: Example[]; readonly features: Features[] } = {
    examples: [],
    features: [],
  };

  // A step of many captions takes little longer than one of few.
  async function write(): Promise<void> {
    const { examples, features } = unwritten;
    unwritten = { examples: [], features: [] };
    if (examples.length === 0) return;
    const captions = await writeCaptions(engine, concatenateFeatures(features), {
      ...metadata,
      vocabulary,
      beamSize: 1,
    });
    for (const [index, example] of examples.entries()) {
      const caption = captions[index]?.caption;
      if (caption !== undefined) written.set(example, caption);
    }
  }

  let before: Features | undefined;
  let broken = false;
  for await (const batch of exampleBatches(source, share, inOrder(share))) {
    if (signal?.aborted) break;
    const features = "values" in batch.images ? batch.images : await engine.encode(batch.images);
    const { loss, words } = await engine.evaluateStep({ ...batch, images: features });
    // A model that is no longer one writes no captions.
    broken = !Number.isFinite(loss);
    if (broken) break;
    right.add(loss, lossWeight(recipe, words));
    const wrong = otherImages(batch, features, before);
    if (wrong !== undefined) gap.add((await engine.evaluateStep(wrong)).loss - loss, lossWeight(recipe, words));
    before = features;
    const members = batch.examples.map(({ example }) => example);
    // In the notebook recipe an image stands here once for each of its captions.
    const fresh = members.flatMap((example, index) =>
      written.has(example) || unwritten.examples.includes(example) || members.indexOf(example) < index ? [] : [index]
    );
    unwritten.examples.push(...fresh.flatMap((index) => members[index] ?? []));
    if (fresh.length > 0) unwritten.features.push(selectFeatures(features, fresh));
    if (unwritten.examples.length >= WRITTEN_AT_ONCE) await write();
  }
  if (await anyRank(group, broken || (signal?.aborted ?? false))) return NOTHING;
  await write();
  const [loss = 0, words = 0, gapLoss = 0, gapWords = 0] = await allReduceSum(group, [
    ...[right.sum, right.weight, gap.sum, gap.weight],
  ]);
  const captions = await gatherCaptions(examples, written, group);
  const { corpus } = scoreCaptions(tokenizeCaptions(captions, scoringTokenizer(recipe.tokenizer)));
  return {
    validationLoss: loss / words,
    mismatchedImageLossGap: gapWords > 0 ? gapLoss / gapWords : 0,
    distinctFraction: new Set(captions.map(({ caption }) => caption)).size / captions.length,
    bleu4: corpus.Bleu_4,
    cider: corpus.CIDEr,
  };
}

/** The captions of all ranks, in the order of the images. */
async function gatherCaptions(
  examples: readonly EncodedExample[],
  written: ReadonlyMap<Example, string>,
  group: ProcessGroup,
): Promise<{ readonly caption: string; readonly references: readonly string[] }[]> {
  const images = [...new Set(examples.map(({ example }) => example))];
  const here = images.map((example) => written.get(example) ?? null);
  const everywhere = await allGatherObject(group, here);
  return images.flatMap(({ captions: references }, index) => {
    const caption = everywhere.map((captions) => captions[index]).find((caption) => typeof caption === "string");
    return typeof caption === "string" ? [{ caption, references }] : [];
  });
}

/** The notebook averages its batches' means, whatever they hold. */
export function lossWeight({ name }: Pick<Recipe, "name">, words: number): number {
  return name === "notebook" ? 1 : words;
}

/**
 * What validations are compared by.
 *
 * @param validation What was found.
 * @param by The setting.
 * @returns A number; lower is better.
 */
export function scoreOf(validation: Validation, by: ValidationMetric): number {
  const { validationLoss } = validation;
  // Of scores that are the same, such as the zeros of the first epochs, the one with the lower loss is the better.
  return by === "loss" ? validationLoss : 1e-6 * validationLoss - validation[by];
}

/** Each row with the image after its own, in a batch of one with one of the batch before, if there was one. */
function otherImages(batch: Batch, features: Features, before: Features | undefined): Batch | undefined {
  const { count } = features;
  if (count > 1) {
    return {
      ...batch,
      images: features,
      imageOfRow: batch.imageOfRow.map((image) => (image + 1) % count),
    };
  }
  return before && { ...batch, images: selectFeatures(before, [0]) };
}
