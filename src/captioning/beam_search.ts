import type { TokenSequence } from "./caption.ts";
import {
  continuations,
  type DecodeStep,
  emptyCaption,
  extend,
  type Hypothesis,
  noCaption,
  type SearchOptions,
  sequenceOf,
} from "./hypotheses.ts";

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

/** Options of {@linkcode searchBeams}. */
export interface BeamsOptions extends SearchOptions {
  /** Number of beam groups. */
  readonly groups: number;
  /** Beam size of each group. */
  readonly width: number;
  /** Captions returned for each group. */
  readonly wanted: number;
  /** Penalty of a token for each time that an earlier group chose it at the same step, in nats. */
  readonly diversityPenalty: number;
  /** See `BeamSearchOptions`. */
  readonly lengthPenalty: number;
}

interface Beam {
  readonly width: number;
  alive: readonly Hypothesis[];
}

/** Beams with a common list of results. */
interface Group {
  readonly beams: readonly Beam[];
  /** The best captions that ended, best first. */
  finished: readonly Hypothesis[];
  /** Captions of the maximum length that have not ended. */
  unfinished: readonly Hypothesis[];
}

/** The successors of each hypothesis; beams with the same hypothesis share them. */
type Children = ReadonlyMap<Hypothesis, readonly Hypothesis[]>;

/**
 * Searches with groups of beams. The first group also runs greedy search, so that its caption is among the results.
 *
 * @returns For each image the results of each group, best first: at least one, at most `wanted`.
 * @throws {InputError} If no caption was found for an image and group.
 */
export async function searchBeams(step: DecodeStep, options: BeamsOptions): Promise<Hypothesis[][][]> {
  const { constraints: { maxLength } } = options;
  const images = Array.from({ length: options.images }, (_, image) => newGroups(image, options));
  for (let length = 0; length <= maxLength; length++) {
    const rows = new Set(
      images.flatMap((groups) => groups.flatMap(({ beams }) => beams.flatMap(({ alive }) => alive))),
    );
    if (rows.size === 0) break;
    const children = await findChildren(step, [...rows], options);
    for (const groups of images) advance(groups, children, options);
  }
  return images.map((groups) => groups.map((group) => foundBy(group, options)));
}

function newGroups(image: number, { groups, width }: BeamsOptions): Group[] {
  const alive = [emptyCaption(image)];
  return Array.from({ length: groups }, (_, group) => ({
    beams: (group === 0 && width > 1 ? [width, 1] : [width]).map((width) => ({ width, alive })),
    finished: [],
    unfinished: [],
  }));
}

async function findChildren(step: DecodeStep, rows: readonly Hypothesis[], options: BeamsOptions): Promise<Children> {
  const { constraints: { end }, groups, width } = options;
  // The earlier groups may have penalized as many tokens as they chose.
  const wanted = groups * width;
  const after = await continuations(step, rows, wanted, options);
  return new Map(rows.map((hypothesis, row) => {
    const { missing = [], tokens } = after[row] ?? {};
    const children: Hypothesis[] = [];
    let others = 0;
    for (const continuation of tokens?.() ?? []) {
      // Forced tokens are kept however improbable they are: each bank has its own beam.
      if (!missing.includes(continuation.token) && others++ >= wanted) continue;
      children.push(extend(hypothesis, row, continuation, end));
      if (others >= wanted && missing.length === 0) break;
    }
    return [hypothesis, children];
  }));
}

function advance(groups: readonly Group[], children: Children, options: BeamsOptions): void {
  const { constraints: { maxLength }, diversityPenalty, wanted, lengthPenalty } = options;
  const chosen = new Map<number, number>();
  const value = (hypothesis: Hypothesis) =>
    hypothesis.logProbability -
    (hypothesis.ended ? 0 : diversityPenalty * (chosen.get(hypothesis.tokens.at(-1) ?? -1) ?? 0));
  for (const group of groups) {
    const finished = new Set(group.finished);
    const longest = group.beams.flatMap(({ alive }) => alive).filter(({ tokens }) => tokens.length === maxLength);
    group.unfinished = [...new Set(longest)];
    for (const beam of group.beams) {
      const best = choose(beam, children, value, options);
      for (const hypothesis of best) if (hypothesis.ended) finished.add(hypothesis);
      beam.alive = best.filter(({ ended }) => !ended);
    }
    for (const { tokens } of group.beams[0]?.alive ?? []) {
      const token = tokens.at(-1) ?? -1;
      chosen.set(token, (chosen.get(token) ?? 0) + 1);
    }
    group.finished = sortByScore([...finished], lengthPenalty).slice(0, wanted);
    const last = group.finished[wanted - 1];
    if (last !== undefined) prune(group, score(last, lengthPenalty), options);
  }
}

/** The `width` best successors of a beam; if tokens are forced, as many for each number of forced tokens held. */
function choose(
  { alive, width }: Beam,
  children: Children,
  value: (hypothesis: Hypothesis) => number,
  { constraints }: BeamsOptions,
): Hypothesis[] {
  const candidates = sortBy(alive.flatMap((hypothesis) => children.get(hypothesis) ?? []), value);
  if (constraints.forcedCount === 0) return candidates.slice(0, width);
  const banks = Map.groupBy(candidates, ({ tokens }) => constraints.missing(tokens).length);
  return [...banks.values()].flatMap((bank) => bank.slice(0, width));
}

/** Drops what cannot reach a better score: probabilities only fall, and no caption exceeds the maximum length. */
function prune({ beams }: Group, bar: number, { constraints: { maxLength }, lengthPenalty }: BeamsOptions): void {
  const longest = (maxLength + 1) ** lengthPenalty;
  for (const beam of beams) beam.alive = beam.alive.filter(({ logProbability }) => logProbability / longest > bar);
}

function foundBy({ finished, unfinished }: Group, options: BeamsOptions): Hypothesis[] {
  const found = finished.length > 0 ? finished : sortByScore(unfinished, options.lengthPenalty);
  if (found.length === 0) throw noCaption();
  return found.slice(0, options.wanted);
}

/** The score of an ended caption, or of an unfinished one among others of its length. */
function score({ tokens, logProbability, ended }: Hypothesis, lengthPenalty: number): number {
  return logProbability / (tokens.length + (ended ? 1 : 0)) ** lengthPenalty;
}

/** Sorts captions by score, best first. */
export function sortByScore(hypotheses: readonly Hypothesis[], lengthPenalty: number): Hypothesis[] {
  return sortBy(hypotheses, (hypothesis) => score(hypothesis, lengthPenalty));
}

/** Highest first; stable. */
function sortBy(hypotheses: readonly Hypothesis[], value: (hypothesis: Hypothesis) => number): Hypothesis[] {
  return hypotheses.map((hypothesis) => ({ hypothesis, value: value(hypothesis) }))
    .sort((a, b) => b.value - a.value)
    .map(({ hypothesis }) => hypothesis);
}
