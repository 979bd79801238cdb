import { Random } from "../random.ts";
import type { TokenSequence } from "./caption.ts";
import type { SamplingOptions } from "./decoding_options.ts";
import {
  type Continuation,
  continuations,
  type DecodeStep,
  emptyCaption,
  extend,
  noCaption,
  type SearchOptions,
  sequenceOf,
} from "./hypotheses.ts";

/** Options of {@linkcode sample}. */
export interface SampleOptions extends SearchOptions, SamplingOptions {
  /** Seed, an integer from 0 to 2^53 - 1. */
  readonly seed: number;
  /**
   * Captions sampled for each image.
   *
   * @default {1}
   */
  readonly samples?: number | undefined;
  /**
   * A key for each image, an integer from 0 to 2^32 - 1, that selects its random stream together with the seed, so that
   * an image gets the same captions in every batch.
   *
   * @default {its index in the batch}
   */
  readonly keys?: readonly number[] | undefined;
}

/**
 * Samples captions token by token from the model's distribution.
 *
 * @returns For each image its captions in the order sampled; duplicates are kept. Their log-probabilities are the
 * model's own, without temperature, `topK` and `topP`.
 * @throws {InputError} If no token is permitted next, or the model's probabilities are NaN.
 * @throws {RangeError} If a number is out of its range.
 */
export async function sample(step: DecodeStep, options: SampleOptions): Promise<TokenSequence[][]> {
  const { images, seed, samples = 1, topK = Infinity, keys, constraints: { end } } = options;
  checkSampling(options);
  if (!Number.isInteger(samples) || samples < 1) {
    throw new RangeError(`Cannot write a caption: samples must be a positive integer, got ${samples}`);
  }
  const sampled = Array.from({ length: images * samples }, (_, index) => {
    const image = Math.floor(index / samples);
    return { hypothesis: emptyCaption(image), random: streamOf(seed, keys?.[image] ?? image, index % samples) };
  });
  let alive = sampled;
  while (alive.length > 0) {
    const after = await continuations(step, alive.map(({ hypothesis }) => hypothesis), topK, options);
    for (const [row, caption] of alive.entries()) {
      const next = sampleToken(after[row]?.tokens() ?? [], caption.random, options);
      // A caption of the maximum length whose end has probability 0 stays unfinished.
      if (next !== undefined) caption.hypothesis = extend(caption.hypothesis, row, next, end);
      else if (caption.hypothesis.tokens.length < options.constraints.maxLength) throw noCaption();
      else caption.hypothesis = { ...caption.hypothesis, ended: true };
    }
    alive = alive.filter(({ hypothesis }) => !hypothesis.ended);
  }
  return Array.from(
    { length: images },
    (_, image) => sampled.slice(image * samples, (image + 1) * samples).map(({ hypothesis }) => sequenceOf(hypothesis)),
  );
}

/** The random stream of one caption of one image. */
function streamOf(seed: number, key: number, index: number): Random {
  const image = new Random((new Random(seed).below(2 ** 32) + key) % 2 ** 32).below(2 ** 32);
  return new Random(image * 2 ** 21 + index);
}

/**
 * Samples one token.
 *
 * @param tokens The permitted tokens, best first; their probabilities need not sum to 1.
 * @param random Called once.
 * @returns The token; undefined if none is permitted.
 */
export function sampleToken(
  tokens: Iterable<Continuation>,
  random: Pick<Random, "next">,
  options: SamplingOptions = {},
): Continuation | undefined {
  const { temperature = 1, topK = Infinity, topP = 1 } = options;
  const kept: Continuation[] = [];
  const weights: number[] = [];
  let total = 0;
  for (const continuation of tokens) {
    const weight = Math.exp((continuation.logProbability - (kept[0] ?? continuation).logProbability) / temperature);
    kept.push(continuation);
    weights.push(weight);
    total += weight;
    if (kept.length >= topK) break;
  }
  const nucleus = topP < 1 ? nucleusOf(weights, topP * total) : total;
  let left = random.next() * nucleus;
  for (const [index, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return kept[index];
  }
  return kept.at(-1);
}

/** The weight of the nucleus: of the fewest that reach a total together. */
function nucleusOf(weights: readonly number[], least: number): number {
  let sum = 0;
  for (const weight of weights) {
    sum += weight;
    if (sum >= least) break;
  }
  return sum;
}

function checkSampling({ temperature = 1, topK = 1, topP = 1 }: SamplingOptions): void {
  const cannot = "Cannot sample captions:";
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new RangeError(`${cannot} the temperature must be over 0, got ${temperature}`);
  }
  if (!Number.isInteger(topK) || topK < 1) {
    throw new RangeError(`${cannot} topK must be a positive integer, got ${topK}`);
  }
  if (!(topP > 0 && topP <= 1)) throw new RangeError(`${cannot} topP must be over 0 and at most 1, got ${topP}`);
}
