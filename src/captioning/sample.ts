/**
 * Captions drawn at random, each as often as the model finds it probable.
 *
 * @module
 */

import { Random } from "../random.ts";
import type { WordSequence } from "./caption.ts";
import type { DecodeStep } from "./decode_step.ts";
import {
  type Continuation,
  continuations,
  emptyCaption,
  extend,
  noCaption,
  type SearchOptions,
  sequenceOf,
} from "./hypotheses.ts";

/** How a word is drawn. */
export interface DrawOptions {
  /**
   * What log-probabilities are divided by: below 1 probable words become more so, above 1 less.
   *
   * @default {1}
   */
  readonly temperature?: number | undefined;
  /**
   * Words to draw from, the most probable ones.
   *
   * @default {all}
   */
  readonly topK?: number | undefined;
  /**
   * The fewest of the most probable words that have this share together are drawn from (Holtzman et al. 2019, nucleus
   * sampling), after temperature and `topK`.
   *
   * @default {1}
   */
  readonly topP?: number | undefined;
}

/** Options of {@linkcode sample}. */
export interface SampleOptions extends SearchOptions, DrawOptions {
  /** Decides what is drawn: an integer from 0 to 2^53 - 1. */
  readonly seed: number;
  /**
   * Captions drawn for each image.
   *
   * @default {1}
   */
  readonly samples?: number | undefined;
  /**
   * A number for each image, an integer from 0 to 2^32 - 1, that decides with the seed what is drawn for it; so an image
   * has the same captions in every batch.
   *
   * @default {its place in the batch}
   */
  readonly keys?: readonly number[] | undefined;
}

/**
 * Draws captions word by word, among the words that may come next.
 *
 * @param step The model.
 * @param options See {@linkcode SampleOptions}.
 * @returns For each image its captions in the order drawn, the same one perhaps several times. Their log-probabilities
 * are the model's own, whatever temperature and `topK` made of them.
 * @throws {InputError} If a caption cannot go on under the constraints, or the model gives no numbers.
 * @throws {RangeError} If a number is out of its range.
 */
export async function sample(step: DecodeStep, options: SampleOptions): Promise<WordSequence[][]> {
  const { images, seed, samples = 1, topK = Infinity, keys, constraints: { end } } = options;
  checkDraw(options);
  if (!Number.isInteger(samples) || samples < 1) {
    throw new RangeError(`Cannot write a caption: samples must be a positive integer, got ${samples}`);
  }
  const drawn = Array.from({ length: images * samples }, (_, index) => {
    const image = Math.floor(index / samples);
    return { hypothesis: emptyCaption(image), random: streamOf(seed, keys?.[image] ?? image, index % samples) };
  });
  let alive = drawn;
  while (alive.length > 0) {
    const after = await continuations(step, alive.map(({ hypothesis }) => hypothesis), topK, options);
    for (const [row, caption] of alive.entries()) {
      const next = draw(after[row]?.words() ?? [], caption.random, options);
      // A caption of the most words whose end has no probability stays unfinished.
      if (next !== undefined) caption.hypothesis = extend(caption.hypothesis, row, next, end);
      else if (caption.hypothesis.words.length < options.constraints.maxLength) throw noCaption();
      else caption.hypothesis = { ...caption.hypothesis, ended: true };
    }
    alive = alive.filter(({ hypothesis }) => !hypothesis.ended);
  }
  return Array.from(
    { length: images },
    (_, image) => drawn.slice(image * samples, (image + 1) * samples).map(({ hypothesis }) => sequenceOf(hypothesis)),
  );
}

/** A stream of random numbers of its own for each caption of each image. */
function streamOf(seed: number, key: number, index: number): Random {
  const image = new Random((new Random(seed).below(2 ** 32) + key) % 2 ** 32).below(2 ** 32);
  return new Random(image * 2 ** 21 + index);
}

/**
 * Draws a word.
 *
 * @param words Words that may come, best first; probabilities need not sum to 1.
 * @param random Where the random number comes from; one is taken.
 * @param options See {@linkcode DrawOptions}.
 * @returns The word, undefined where there is none.
 */
export function draw(
  words: Iterable<Continuation>,
  random: Pick<Random, "next">,
  options: DrawOptions = {},
): Continuation | undefined {
  const { temperature = 1, topK = Infinity, topP = 1 } = options;
  const kept: Continuation[] = [];
  const weights: number[] = [];
  let total = 0;
  for (const continuation of words) {
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

/** The weight of the fewest that reach a share together. */
function nucleusOf(weights: readonly number[], share: number): number {
  let sum = 0;
  for (const weight of weights) {
    sum += weight;
    if (sum >= share) break;
  }
  return sum;
}

function checkDraw({ temperature = 1, topK = 1, topP = 1 }: DrawOptions): void {
  const cannot = "Cannot draw captions:";
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new RangeError(`${cannot} the temperature must be over 0, got ${temperature}`);
  }
  if (!Number.isInteger(topK) || topK < 1) {
    throw new RangeError(`${cannot} topK must be a positive integer, got ${topK}`);
  }
  if (!(topP > 0 && topP <= 1)) throw new RangeError(`${cannot} topP must be over 0 and at most 1, got ${topP}`);
}
