import { checkBeam, searchBeams, sortByScore } from "./beam_search.ts";
import type { TokenSequence } from "./caption.ts";
import { type DecodeStep, type Hypothesis, type SearchOptions, sequenceOf } from "./hypotheses.ts";

/** Options of {@linkcode diverseBeamSearch}. */
export interface DiverseBeamSearchOptions extends SearchOptions {
  /** Beam size, a multiple of `numBeamGroups`. */
  readonly beamSize: number;
  /** Number of groups that the beam is divided into. */
  readonly numBeamGroups: number;
  /**
   * Penalty of a token for each time that an earlier group chose it at the same step, in nats; 0 lets all groups find the
   * same.
   *
   * @default {0.5}
   */
  readonly diversityPenalty?: number | undefined;
  /**
   * Captions returned for each image, at most `beamSize`.
   *
   * @default {numBeamGroups}
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
 * Diverse beam search with Hamming diversity (Vijayakumar et al. 2016): at each step a group's tokens are penalized if
 * earlier groups chose them. The penalty affects that step's choice alone and not the end; captions keep their own
 * log-probabilities. The first group is a plain beam search.
 *
 * @returns For each image its captions without duplicates: the best of each group, best first, then the second of each,
 * and so on; at most `nBest`.
 * @throws {InputError} If no caption satisfies the constraints, or the model's probabilities are NaN.
 * @throws {RangeError} If the beam size is not a multiple of the groups, or a number is out of its range.
 */
export async function diverseBeamSearch(
  step: DecodeStep,
  options: DiverseBeamSearchOptions,
): Promise<TokenSequence[][]> {
  const { beamSize, numBeamGroups, diversityPenalty = 0.5, nBest = numBeamGroups, lengthPenalty = 0 } = options;
  checkBeam(beamSize, lengthPenalty);
  if (!Number.isInteger(numBeamGroups) || numBeamGroups < 1 || beamSize % numBeamGroups !== 0) {
    throw new RangeError(
      `Cannot write a caption: a beam size of ${beamSize} cannot be divided into ${numBeamGroups} groups`,
    );
  }
  if (!(diversityPenalty >= 0 && Number.isFinite(diversityPenalty))) {
    throw new RangeError(
      `Cannot write a caption: the diversity penalty must be 0 or more, got ${diversityPenalty}`,
    );
  }
  if (!Number.isInteger(nBest) || nBest < 1 || nBest > beamSize) {
    throw new RangeError(`Cannot write a caption: nBest must be an integer from 1 to the beam size, got ${nBest}`);
  }
  const width = beamSize / numBeamGroups;
  const found = await searchBeams(step, {
    ...options,
    groups: numBeamGroups,
    width,
    wanted: width,
    diversityPenalty,
    lengthPenalty,
  });
  return found.map((groups) => inTurn(groups, lengthPenalty).slice(0, nBest).map(sequenceOf));
}

/** The best of each group, best first, then the second of each, and so on; no duplicates. */
function inTurn(groups: readonly (readonly Hypothesis[])[], lengthPenalty: number): Hypothesis[] {
  const taken = new Set<string>();
  const order: Hypothesis[] = [];
  for (let round = 0; round < Math.max(...groups.map(({ length }) => length)); round++) {
    const turn: Hypothesis[] = [];
    for (const group of groups) {
      // Skip what another group has found already.
      const next = group.find((hypothesis) => !taken.has(hypothesis.tokens.join(" ")));
      if (next === undefined) continue;
      taken.add(next.tokens.join(" "));
      turn.push(next);
    }
    order.push(...sortByScore(turn, lengthPenalty));
  }
  return order;
}
