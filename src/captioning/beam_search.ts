import { searchBeams } from "./beams.ts";
import type { TokenSequence } from "./caption.ts";
import type { DecodeStep } from "./decode_step.ts";
import { type SearchOptions, sequenceOf } from "./hypotheses.ts";

/** Options of {@linkcode beamSearch}. */
export interface BeamSearchOptions extends SearchOptions {
  /** Beam size; 1 is greedy search. */
  readonly beamSize: number;
  /**
   * Captions returned for each image, at most `beamSize`.
   *
   * @default {1}
   */
  readonly nBest?: number | undefined;
  /**
   * Captions are compared by log-probability / length^lengthPenalty, where the length counts the tokens and the end
   * (Wu et al. 2016, section 7, before their own formula): 0 compares log-probabilities, 1 their means.
   *
   * @default {0}
   */
  readonly lengthPenalty?: number | undefined;
}

/**
 * Searches for the best captions of each image. A greedy search runs in the same steps and its caption is a candidate, so
 * that no score is below the greedy one. A caption of the maximum length ends there, and its end counts. If no caption can
 * end, the best unfinished ones are returned.
 *
 * Forced tokens are met by grid beam search (Hokamp and Liu 2017): one beam for each number of forced tokens that a
 * caption holds so far, so that captions without them do not displace captions with them.
 *
 * @returns For each image its captions, best first: at least one, at most `nBest`.
 * @throws {InputError} If no caption satisfies the constraints, or the model's probabilities are NaN.
 * @throws {RangeError} If a size is not a positive integer, or the length penalty is negative.
 */
export async function beamSearch(step: DecodeStep, options: BeamSearchOptions): Promise<TokenSequence[][]> {
  const { beamSize, nBest = 1, lengthPenalty = 0 } = options;
  checkBeam(beamSize, lengthPenalty);
  if (!Number.isInteger(nBest) || nBest < 1 || nBest > beamSize) {
    throw new RangeError(`Cannot write a caption: nBest must be an integer from 1 to the beam size, got ${nBest}`);
  }
  const found = await searchBeams(step, {
    ...options,
    groups: 1,
    width: beamSize,
    wanted: nBest,
    diversityPenalty: 0,
    lengthPenalty,
  });
  return found.map(([captions = []]) => captions.map(sequenceOf));
}

/**
 * Checks the beam size and the length penalty.
 *
 * @throws {RangeError} If the beam size is not a positive integer, or the length penalty is negative.
 */
export function checkBeam(beamSize: number, lengthPenalty: number): void {
  if (!Number.isInteger(beamSize) || beamSize < 1) {
    throw new RangeError(`Cannot write a caption: the beam size must be a positive integer, got ${beamSize}`);
  }
  if (!(lengthPenalty >= 0 && Number.isFinite(lengthPenalty))) {
    throw new RangeError(`Cannot write a caption: the length penalty must be 0 or more, got ${lengthPenalty}`);
  }
}
