/**
 * Self-critical sequence training (Rennie et al. 2017): captions sampled from the model are weighted by their reward, less a
 * baseline.
 *
 * @module
 */

import { beamSearch } from "../captioning/beam_search.ts";
import type { TokenSequence } from "../captioning/caption.ts";
import { Constraints } from "../captioning/constraints.ts";
import { type DecodeStep, withImagesFirst } from "../captioning/hypotheses.ts";
import { sample } from "../captioning/sample.ts";
import type { DecodingSettings } from "../checkpoint/checkpoint.ts";
import type { Batch, Features, Images } from "../ffi/batch.ts";
import type { Engine } from "../ffi/engine.ts";
import { collateMasked } from "../ffi/collate.ts";
import type { ModelSettings } from "../ffi/settings.ts";
import type { EncodedExample } from "./training_data.ts";
import type { Vocabulary } from "../text/vocabulary.ts";

/**
 * Scores captions of one image against its references; higher is better. They are token ids with `<end>`, which only a
 * caption that was cut off lacks.
 */
export type Reward = (captions: readonly (readonly number[])[], references: readonly (readonly number[])[]) => number[];

/** The baseline of a sample's reward: the greedy caption's, or the mean of the image's other samples. */
export type Baseline = "greedy" | "samples";

/** Options of {@linkcode selfCriticalBatch}. */
export interface SelfCriticalOptions {
  readonly vocabulary: Vocabulary;
  readonly decoding: Pick<DecodingSettings, "maxLength">;
  readonly model: Pick<ModelSettings, "inject">;
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
  const { maxLength } = decoding;
  const vocabularySize = vocabulary.words.length;
  const common = {
    images: images.count,
    start,
    vocabularySize,
    // All tokens may be sampled, the special ones too: what is never sampled is never unlearned.
    constraints: new Constraints({ end, vocabularySize, maxLength }),
  };
  async function search<T>(write: (step: DecodeStep) => Promise<T>): Promise<T> {
    using steps = await engine.startDecoding(features);
    const step: DecodeStep = (parents, tokens, k) => steps.step(parents, tokens, k);
    return await write(model.inject === "first" ? withImagesFirst(step, images.count) : step);
  }
  const sampled = await search((step) => sample(step, { ...common, seed, samples }));
  const greedy = baseline === "greedy" ? await search((step) => beamSearch(step, { ...common, beamSize: 1 })) : [];
  // A caption of the maximum length was cut off. It gets no <end>, which the model did not choose: from long captions
  // with a low reward it would learn that captions do not end.
  const idsOf = ({ tokens }: TokenSequence) => tokens.length < maxLength ? [...tokens, end] : tokens;

  const captions: Int32Array<ArrayBuffer>[][] = [];
  const weights: number[] = [];
  let total = 0;
  for (const [index, { captions: references }] of examples.entries()) {
    const own = (sampled[index] ?? []).map(idsOf);
    const bar = (greedy[index] ?? []).map(idsOf);
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
