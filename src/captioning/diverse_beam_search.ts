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
  /** Captions pursued for each image, a multiple of the groups. */
  readonly beam: number;
  /** Groups that the beam is divided into. */
  readonly groups: number;
  /**
   * What a group's word costs for each time that groups before it chose the same word at the same step, in nats: 0 lets
   * the groups find the same.
   *
   * @default {0.5}
   */
  readonly strength?: number | undefined;
  /**
   * Captions wanted of each image, at most the beam.
   *
   * @default {the groups}
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
 * Searches with groups of beams that keep apart (Vijayakumar et al. 2016, Hamming diversity): at each step a group's
 * words cost something where groups before it chose them. What a word cost counts for that step's choice alone, and
 * ending costs nothing; captions keep their own log-probabilities. The first group is a plain beam search.
 *
 * @param step The model.
 * @param options See {@linkcode DiverseBeamSearchOptions}.
 * @returns For each image its captions, none twice: the best of each group, best first, then each one's second, and so
 * on; `nBest` where the groups found so many.
 * @throws {InputError} If no caption keeps to the constraints, or the model gives no numbers.
 * @throws {RangeError} If the beam is no multiple of the groups, or a number is out of its range.
 */
export async function diverseBeamSearch(
  step: DecodeStep,
  options: DiverseBeamSearchOptions,
): Promise<WordSequence[][]> {
  const { beam, groups, strength = 0.5, nBest = groups, lengthPenalty = 0 } = options;
  checkBeam(beam, lengthPenalty);
  if (!Number.isInteger(groups) || groups < 1 || beam % groups !== 0) {
    throw new RangeError(`Cannot write a caption: a beam of ${beam} cannot be divided into ${groups} groups`);
  }
  if (!(strength >= 0 && Number.isFinite(strength))) {
    throw new RangeError(`Cannot write a caption: the strength of diversity must be 0 or more, got ${strength}`);
  }
  if (!Number.isInteger(nBest) || nBest < 1 || nBest > beam) {
    throw new RangeError(`Cannot write a caption: nBest must be an integer from 1 to the beam, got ${nBest}`);
  }
  const width = beam / groups;
  const found = await searchBeams(step, { ...options, groups, width, wanted: width, strength, lengthPenalty });
  return found.map((groups) => inTurn(groups, lengthPenalty).slice(0, nBest).map(sequenceOf));
}

/** The best of each group, best first, then the second of each, and so on; none twice. */
function inTurn(groups: readonly (readonly Hypothesis[])[], lengthPenalty: number): Hypothesis[] {
  const taken = new Set<string>();
  const order: Hypothesis[] = [];
  for (let round = 0; round < Math.max(...groups.map(({ length }) => length)); round++) {
    const turn: Hypothesis[] = [];
    for (const group of groups) {
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
