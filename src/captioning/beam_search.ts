/**
 * Beam search: the most probable captions of several images at once.
 *
 * @module
 */

import { searchBeams } from "./beams.ts";
import type { WordSequence } from "./caption.ts";
import type { DecodeStep } from "./decode_step.ts";
import { type SearchOptions, sequenceOf } from "./hypotheses.ts";

/** Options of {@linkcode beamSearch}. */
export interface BeamSearchOptions extends SearchOptions {
  /** Captions pursued for each image; 1 is greedy search. */
  readonly beamSize: number;
  /**
   * Captions wanted of each image, at most the beam.
   *
   * @default {1}
   */
  readonly nBest?: number | undefined;
  /**
   * How much longer captions are favored: captions are compared by log-probability / length^lengthPenalty, where the
   * length counts the words and the end (Wu et al. 2016, section 7, before their own formula). 0 compares
   * log-probabilities, 1 their means.
   *
   * @default {0}
   */
  readonly lengthPenalty?: number | undefined;
}

/**
 * Searches for the best captions of each image. Greedy search goes beside the beam in the same steps, and its caption is
 * among those to choose from: no score is under that of a beam of 1. A caption of the most words ends there, and its end
 * counts. Where no caption can end, the best unfinished ones are taken.
 *
 * Where words are forced, the beam is that wide for each number of them that a caption has so far (Hokamp and Liu 2017,
 * grid beam search), so that captions without them do not displace those that have them.
 *
 * @param step The model.
 * @param options See {@linkcode BeamSearchOptions}.
 * @returns For each image its captions, best first: one at least, `nBest` where so many were found.
 * @throws {InputError} If no caption keeps to the constraints, or the model gives no numbers.
 * @throws {RangeError} If an option is no positive integer, or the length penalty negative.
 */
export async function beamSearch(step: DecodeStep, options: BeamSearchOptions): Promise<WordSequence[][]> {
  const { beamSize, nBest = 1, lengthPenalty = 0 } = options;
  checkBeam(beamSize, lengthPenalty);
  if (!Number.isInteger(nBest) || nBest < 1 || nBest > beamSize) {
    throw new RangeError(`Cannot write a caption: nBest must be an integer from 1 to the beamSize, got ${nBest}`);
  }
  const found = await searchBeams(step, {
    ...options,
    groups: 1,
    width: beamSize,
    wanted: nBest,
    strength: 0,
    lengthPenalty,
  });
  return found.map(([captions = []]) => captions.map(sequenceOf));
}

/**
 * Checks what every search by beams is given.
 *
 * @param beam How wide it is.
 * @param lengthPenalty How captions are compared.
 * @throws {RangeError} If the beam is no positive integer or the length penalty negative.
 */
export function checkBeam(beamSize: number, lengthPenalty: number): void {
  if (!Number.isInteger(beamSize) || beamSize < 1) {
    throw new RangeError(`Cannot write a caption: the beam size must be a positive integer, got ${beamSize}`);
  }
  if (!(lengthPenalty >= 0 && Number.isFinite(lengthPenalty))) {
    throw new RangeError(`Cannot write a caption: the length penalty must be 0 or more, got ${lengthPenalty}`);
  }
}
