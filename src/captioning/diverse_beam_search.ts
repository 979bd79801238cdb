/**
 * Diverse beam search: captions that differ from one another.
 *
 * @module
 */

import { checkBeam } from "./beam_search.ts";
import { searchBeams, sortByScore } from "./beams.ts";
import type { WordSequence } from "./caption.ts";
import type { DecodeStep } from "./decode_step.ts";
import { type Hypothesis, type SearchOptions, sequenceOf } from "./hypotheses.ts";

/** Options of {@linkcode diverseBeamSearch}. */
export interface DiverseBeamSearchOptions extends SearchOptions {
  /** Captions pursued for each image, a multiple of the numBeamGroups. */
  readonly beamSize: number;
  /** Groups that the beam is divided into. */
  readonly numBeamGroups: number;
  /**
   * What a group's word costs for each time that numBeamGroups before it chose the same word at the same step, in nats: 0 lets
   * the numBeamGroups find the same.
   *
   * @default {0.5}
   */
  readonly diversityPenalty?: number | undefined;
  /**
   * Captions wanted of each image, at most the beam.
   *
   * @default {the numBeamGroups}
   */
  readonly nBest?: number | undefined;
  /**
   * See `BeamSearchOptions`.
   *
   * @default {0}
   */
  readonly lengthPenalty?: number | undefined;
}

/**
 * Searches with numBeamGroups of beams that keep apart (Vijayakumar et al. 2016, Hamming diversity): at each step a group's
 * words cost something where numBeamGroups before it chose them. What a word cost counts for that step's choice alone, and
 * ending costs nothing; captions keep their own log-probabilities. The first group is a plain beam search.
 *
 * @param step The model.
 * @param options See {@linkcode DiverseBeamSearchOptions}.
 * @returns For each image its captions, none twice: the best of each group, best first, then each one's second, and so
 * on; `nBest` where the numBeamGroups found so many.
 * @throws {InputError} If no caption keeps to the constraints, or the model gives no numbers.
 * @throws {RangeError} If the beam is no multiple of the numBeamGroups, or a number is out of its range.
 */
export async function diverseBeamSearch(
  step: DecodeStep,
  options: DiverseBeamSearchOptions,
): Promise<WordSequence[][]> {
  const { beamSize, numBeamGroups, diversityPenalty = 0.5, nBest = numBeamGroups, lengthPenalty = 0 } = options;
  checkBeam(beamSize, lengthPenalty);
  if (!Number.isInteger(numBeamGroups) || numBeamGroups < 1 || beamSize % numBeamGroups !== 0) {
    throw new RangeError(
      `Cannot write a caption: a beam size of ${beamSize} cannot be divided into ${numBeamGroups} numBeamGroups`,
    );
  }
  if (!(diversityPenalty >= 0 && Number.isFinite(diversityPenalty))) {
    throw new RangeError(
      `Cannot write a caption: the diversityPenalty of diversity must be 0 or more, got ${diversityPenalty}`,
    );
  }
  if (!Number.isInteger(nBest) || nBest < 1 || nBest > beamSize) {
    throw new RangeError(`Cannot write a caption: nBest must be an integer from 1 to the beamSize, got ${nBest}`);
  }
  const width = beamSize / numBeamGroups;
  const found = await searchBeams(step, {
    ...options,
    groups: numBeamGroups,
    width,
    wanted: width,
    strength: diversityPenalty,
    lengthPenalty,
  });
  return found.map((numBeamGroups) => inTurn(numBeamGroups, lengthPenalty).slice(0, nBest).map(sequenceOf));
}

/** The best of each group, best first, then the second of each, and so on; none twice. */
function inTurn(numBeamGroups: readonly (readonly Hypothesis[])[], lengthPenalty: number): Hypothesis[] {
  const taken = new Set<string>();
  const order: Hypothesis[] = [];
  for (let round = 0; round < Math.max(...numBeamGroups.map(({ length }) => length)); round++) {
    const turn: Hypothesis[] = [];
    for (const group of numBeamGroups) {
      // What another group has found already is passed over for the next.
      const next = group.find((hypothesis) => !taken.has(hypothesis.words.join(" ")));
      if (next === undefined) continue;
      taken.add(next.words.join(" "));
      turn.push(next);
    }
    order.push(...sortByScore(turn, lengthPenalty));
  }
  return order;
}
