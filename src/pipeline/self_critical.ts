/**
 * Self-critical sequence training (Rennie et al. 2017): captions sampled from the model are weighted by their reward, less a
 * baseline.
 *
 * @module
 */

import { writeCaptions, type WriteCaptionsOptions } from "../captioning/write_captions.ts";
import type { Batch, Features, Images } from "../ffi/batch.ts";
import type { Engine } from "../ffi/engine.ts";
import { collateMasked } from "../ffi/collate.ts";
import type { EncodedExample } from "./training_data.ts";
import type { Vocabulary } from "../text/vocabulary.ts";

/** Scores captions of one image, given as token ids with `<end>`, against its references; higher is better. */
export type Reward = (captions: readonly (readonly number[])[], references: readonly (readonly number[])[]) => number[];

/** The baseline of a sample's reward: the greedy caption's, or the mean of the image's other samples. */
export type Baseline = "greedy" | "samples";

/** Options of {@linkcode selfCriticalBatch}. */
export interface SelfCriticalOptions extends Pick<WriteCaptionsOptions, "decoding" | "model"> {
  readonly vocabulary: Vocabulary;
  readonly reward: Reward;
  readonly baseline: Baseline;
  /** Captions sampled per image; at least 2 with the baseline `samples`. */
  readonly samples: number;
  /** Decides the samples. */
  readonly seed: number;
}

/** Sampled captions as a batch. */
export interface SelfCriticalBatch {
  /** The samples as targets, each weighted by its reward above the baseline. */
  readonly batch: Batch;
  /** Mean reward of the samples. */
  readonly reward: number;
}

/**
 * Samples captions and weights them by their reward.
 *
 * @param inputs Images or their features, and their examples.
 * @throws {RangeError} If there are too few samples for the baseline.
 */
export async function selfCriticalBatch(
  engine: Pick<Engine, "encode" | "startDecoding">,
  inputs: { readonly images: Images | Features; readonly examples: readonly EncodedExample[] },
  options: SelfCriticalOptions,
): Promise<SelfCriticalBatch> {
  const { vocabulary, reward, baseline, samples, seed, decoding, model } = options;
  if (samples < (baseline === "samples" ? 2 : 1)) {
    throw new RangeError(`Cannot sample captions: ${samples} per image are too few for the baseline '${baseline}'`);
  }
  const { images, examples } = inputs;
  const { start, end } = vocabulary;
  if (start === undefined || end === undefined) {
    throw new TypeError("Cannot sample captions: the vocabulary has no <start> and <end>");
  }
  const features = "values" in images ? images : await engine.encode(images);
  // Sampled without constraints: what they forbid would never be unlearned.
  const writing = { vocabulary, decoding, model, badEndings: [] };
  const sampled = await writeCaptions(engine, features, { ...writing, sampling: { seed }, nBest: samples });
  const greedy = baseline === "greedy" ? await writeCaptions(engine, features, { ...writing, beamSize: 1 }) : [];
  const idsOf = ({ tokens }: { readonly tokens: readonly string[] }) => [...vocabulary.encode(tokens), end];

  const captions: Int32Array<ArrayBuffer>[][] = [];
  const weights: number[] = [];
  let total = 0;
  for (const [index, { captions: references }] of examples.entries()) {
    const best = sampled[index];
    const own = best === undefined ? [] : [best, ...best.alternatives ?? []].map(idsOf);
    const bar = greedy[index] === undefined ? [] : [idsOf(greedy[index])];
    const rewards = reward([...own, ...bar], references.map((ids) => [...ids.subarray(1)]));
    const mine = rewards.slice(0, own.length);
    const sum = mine.reduce((a, b) => a + b, 0);
    for (const value of mine) {
      weights.push(value - (baseline === "greedy" ? rewards.at(-1) ?? NaN : (sum - value) / (own.length - 1)));
    }
    captions.push(own.map((ids) => Int32Array.of(start, ...ids)));
    total += sum;
  }
  const batch = { ...collateMasked(images, captions), rowWeights: Float32Array.from(weights) };
  return { batch, reward: total / weights.length };
}
