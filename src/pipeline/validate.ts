/**
 * What a model is worth after an epoch: its loss on photographs it does not learn from, and the captions it writes.
 *
 * @module
 */

import { anywhere, gather, sums } from "../distributed/exchange.ts";
import { ALONE, type Ranks } from "../distributed/ranks.ts";
import { shareOfBatches } from "../distributed/share.ts";
import { writeCaptions } from "../captioning/write_captions.ts";
import type { CheckpointMetadata } from "../checkpoint/checkpoint.ts";
import { scoreCaptions, tokenizeCaptions } from "../evaluation/score_captions.ts";
import { scoringTokenizer } from "../evaluation/scoring_tokenizer.ts";
import type { Batch, Features } from "../ffi/batch.ts";
import type { Engine } from "../ffi/engine.ts";
import type { Photograph } from "../data/dataset.ts";
import { type BatchSource, exampleBatches, inOrder } from "./example_batches.ts";
import { concatenateFeatures, selectFeatures } from "../ffi/feature_rows.ts";
import { Mean } from "./mean.ts";
import type { Criterion, Recipe } from "./recipe.ts";
import type { Example } from "./training_data.ts";
import type { Vocabulary } from "../text/vocabulary.ts";

const WRITTEN_AT_ONCE = 64;

/** What a validation finds. */
export interface Validation {
  /** Mean cross-entropy of a word in nats, with nothing dropped (in the notebook recipe: mean of the batches' means). */
  readonly validationLoss: number;
  /** What the loss is higher by, in nats, where each caption is given another photograph: 0 if photographs are ignored. */
  readonly imageGap: number;
  /** Share of different captions among those written for the photographs. */
  readonly distinctShare: number;
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
   * @default {ALONE}
   */
  readonly ranks?: Ranks;
}

const NOTHING: Validation = { validationLoss: NaN, imageGap: NaN, distinctShare: NaN, bleu4: NaN, cider: NaN };

/**
 * Validates a model: the CNN runs once for each batch, then the right loss, the loss with another photograph in each
 * one's place, and greedy captions come from its features.
 *
 * @param source The model and its data.
 * @param examples What it is validated on.
 * @param options See {@linkcode ValidateOptions}.
 * @returns What was found, the same on all ranks; of no worth where the signal is aborted on one; NaN where the model gives no numbers any more.
 */
export async function validate(
  source: ValidationSource,
  examples: readonly Example[],
  { signal, ranks = ALONE }: ValidateOptions = {},
): Promise<Validation> {
  const { engine, recipe, vocabulary, metadata } = source;
  const share = shareOfBatches(examples, { ...ranks, batchSize: recipe.batchSize });
  const [right, gap] = [new Mean(), new Mean()];
  const written = new Map<Photograph, string>();
  let unwritten: { readonly photographs: Photograph[]; readonly features: Features[] } = {
    photographs: [],
    features: [],
  };

  // A step of many captions takes little longer than one of few.
  async function write(): Promise<void> {
    const { photographs, features } = unwritten;
    unwritten = { photographs: [], features: [] };
    if (photographs.length === 0) return;
    const captions = await writeCaptions(engine, concatenateFeatures(features), { ...metadata, vocabulary, beam: 1 });
    for (const [index, photograph] of photographs.entries()) {
      const caption = captions[index]?.caption;
      if (caption !== undefined) written.set(photograph, caption);
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
    const members = batch.examples.map(({ photograph }) => photograph);
    // In the notebook recipe a photograph stands here once for each of its captions.
    const fresh = members.flatMap((photograph, index) =>
      written.has(photograph) || unwritten.photographs.includes(photograph) || members.indexOf(photograph) < index
        ? []
        : [index]
    );
    unwritten.photographs.push(...fresh.flatMap((index) => members[index] ?? []));
    if (fresh.length > 0) unwritten.features.push(selectFeatures(features, fresh));
    if (unwritten.photographs.length >= WRITTEN_AT_ONCE) await write();
  }
  if (await anywhere(ranks, broken || (signal?.aborted ?? false))) return NOTHING;
  await write();
  const [loss = 0, words = 0, gapLoss = 0, gapWords = 0] = await sums(ranks, [
    ...[right.sum, right.weight, gap.sum, gap.weight],
  ]);
  const captions = await gatherCaptions(examples, written, ranks);
  const { corpus } = scoreCaptions(tokenizeCaptions(captions, scoringTokenizer(recipe.tokenizer)));
  return {
    validationLoss: loss / words,
    imageGap: gapWords > 0 ? gapLoss / gapWords : 0,
    distinctShare: new Set(captions.map(({ caption }) => caption)).size / captions.length,
    bleu4: corpus.Bleu_4,
    cider: corpus.CIDEr,
  };
}

/** The captions of all ranks, in the order of the photographs. */
async function gatherCaptions(
  examples: readonly Example[],
  written: ReadonlyMap<Photograph, string>,
  ranks: Ranks,
): Promise<{ readonly caption: string; readonly references: readonly string[] }[]> {
  const photographs = [...new Set(examples.map(({ photograph }) => photograph))];
  const here = photographs.map((photograph) => written.get(photograph) ?? null);
  const everywhere = await gather(ranks, here);
  return photographs.flatMap(({ captions: references }, index) => {
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
export function criterion(validation: Validation, by: Criterion): number {
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
