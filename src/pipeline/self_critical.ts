/**
 * Self-critical sequence training (Rennie et al. 2017): a model learns from the scores of captions that it draws itself,
 * each compared with what it could have had without trying.
 *
 * @module
 */

import { writeCaptions, type WriteCaptionsOptions } from "../captioning/write_captions.ts";
import type { Batch, Features, Images } from "../ffi/batch.ts";
import type { Engine } from "../ffi/engine.ts";
import { collateLrcn } from "../ffi/collate.ts";
import type { EncodedExample } from "./training_data.ts";
import type { Vocabulary } from "../text/vocabulary.ts";

/**
 * Scores captions of one image.
 *
 * @param captions Word ids of each, `<end>` included.
 * @param references Word ids of each reference, `<end>` included.
 * @returns A score for each caption, higher is better.
 */
export type Reward = (captions: readonly (readonly number[])[], references: readonly (readonly number[])[]) => number[];

/** What a drawn caption's reward is compared with: that of the greedy caption, or the mean of the image's other draws. */
export type Baseline = "greedy" | "samples";

/** Options of {@linkcode selfCriticalBatch}. */
export interface SelfCriticalOptions extends Pick<WriteCaptionsOptions, "decoding" | "model"> {
  /** The words. */
  readonly vocabulary: Vocabulary;
  /** What is wanted of captions. */
  readonly reward: Reward;
  /** What rewards are compared with. */
  readonly baseline: Baseline;
  /** Captions drawn for each image; at least 2 with the baseline `samples`. */
  readonly samples: number;
  /** Decides what is drawn. */
  readonly seed: number;
}

/** Captions that a model drew, to be learnt from. */
export interface SelfCriticalBatch {
  /** The captions; each weighs as much as its reward is above the baseline, so that the loss falls as rewards rise. */
  readonly batch: Batch;
  /** Mean reward of the captions. */
  readonly reward: number;
}

/**
 * Draws captions of some images and weighs them.
 *
 * @param engine The model.
 * @param seen What the captions are of: images, or what a frozen CNN sees in them, with the examples that they belong to.
 * @param options See {@linkcode SelfCriticalOptions}.
 * @returns What a training step takes.
 * @throws {RangeError} If too few captions are asked for.
 */
export async function selfCriticalBatch(
  engine: Pick<Engine, "encode" | "startDecoding">,
  seen: { readonly images: Images | Features; readonly examples: readonly EncodedExample[] },
  options: SelfCriticalOptions,
): Promise<SelfCriticalBatch> {
  const { vocabulary, reward, baseline, samples, seed, decoding, model } = options;
  if (samples < (baseline === "samples" ? 2 : 1)) {
    throw new RangeError(`Cannot draw captions: ${samples} of an image are too few for the baseline '${baseline}'`);
  }
  const { images, examples } = seen;
  const { start, end } = vocabulary;
  if (start === undefined || end === undefined) {
    throw new TypeError("Cannot draw captions: the vocabulary has no <start> and <end>");
  }
  const features = "values" in images ? images : await engine.encode(images);
  // Drawn from the model as it is: what only makes captions look better would not be learnt.
  const writing = { vocabulary, decoding, model, badEndings: [] };
  const drawn = await writeCaptions(engine, features, { ...writing, sampling: { seed }, nBest: samples });
  const greedy = baseline === "greedy" ? await writeCaptions(engine, features, { ...writing, beamSize: 1 }) : [];
  const idsOf = ({ tokens }: { readonly tokens: readonly string[] }) => [...vocabulary.encode(tokens), end];

  const captions: Int32Array<ArrayBuffer>[][] = [];
  const weights: number[] = [];
  let total = 0;
  for (const [index, { captions: references }] of examples.entries()) {
    const best = drawn[index];
    const own = best === undefined ? [] : [best, ...best.alternatives ?? []].map(idsOf);
    const bar = greedy[index] === undefined ? [] : [idsOf(greedy[index])];
    const rewards = reward([...own, ...bar], references.map((words) => [...words.subarray(1)]));
    const mine = rewards.slice(0, own.length);
    const sum = mine.reduce((a, b) => a + b, 0);
    for (const value of mine) {
      weights.push(value - (baseline === "greedy" ? rewards.at(-1) ?? NaN : (sum - value) / (own.length - 1)));
    }
    captions.push(own.map((words) => Int32Array.of(start, ...words)));
    total += sum;
  }
  const batch = { ...collateLrcn(images, captions), rowWeights: Float32Array.from(weights) };
  return { batch, reward: total / weights.length };
}
