/**
 * What beam search and diverse beam search share: beams that go on word by word, and what they find.
 *
 * @module
 */

import type { DecodeStep } from "./decode_step.ts";
import { continuations, emptyCaption, extend, type Hypothesis, noCaption, type SearchOptions } from "./hypotheses.ts";

/** Options of {@linkcode searchBeams}. */
export interface BeamsOptions extends SearchOptions {
  /** Groups of beams that keep apart. */
  readonly groups: number;
  /** Captions that each group pursues. */
  readonly width: number;
  /** Captions wanted of each group. */
  readonly wanted: number;
  /** What a group's word costs for each time that groups before it chose it at the same step, in nats. */
  readonly strength: number;
  /** See `BeamSearchOptions`. */
  readonly lengthPenalty: number;
}

/** Captions that are chosen among themselves, at most so many. */
interface Beam {
  readonly width: number;
  alive: readonly Hypothesis[];
}

/** Beams with one list of what they found. */
interface Group {
  readonly beams: readonly Beam[];
  /** The best captions that ended, best first. */
  finished: readonly Hypothesis[];
  /** Those of the most words that have not ended. */
  unfinished: readonly Hypothesis[];
}

/** What comes after each hypothesis; the same object for each beam that has it. */
type Children = ReadonlyMap<Hypothesis, readonly Hypothesis[]>;

/**
 * Searches with groups of beams. In the first group a beam of one caption, greedy search, goes beside the wide one, so
 * that its caption is among those found.
 *
 * @param step The model.
 * @param options See {@linkcode BeamsOptions}.
 * @returns For each image what each group found, best first: at most `wanted` captions, one at least.
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
  // A group may pass over as many words as the groups before it chose.
  const wanted = groups * width;
  const after = await continuations(step, rows, wanted, options);
  return new Map(rows.map((hypothesis, row) => {
    const { missing = [], words } = after[row] ?? {};
    const children: Hypothesis[] = [];
    let others = 0;
    for (const continuation of words?.() ?? []) {
      // Forced words are taken in however improbable they are; they compete among their like.
      if (!missing.includes(continuation.word) && others++ >= wanted) continue;
      children.push(extend(hypothesis, row, continuation, end));
      if (others >= wanted && missing.length === 0) break;
    }
    return [hypothesis, children];
  }));
}

function advance(groups: readonly Group[], children: Children, options: BeamsOptions): void {
  const { constraints: { maxLength }, strength, wanted, lengthPenalty } = options;
  const chosen = new Map<number, number>();
  const value = (hypothesis: Hypothesis) =>
    hypothesis.logProbability - (hypothesis.ended ? 0 : strength * (chosen.get(hypothesis.words.at(-1) ?? -1) ?? 0));
  for (const group of groups) {
    const finished = new Set(group.finished);
    const longest = group.beams.flatMap(({ alive }) => alive).filter(({ words }) => words.length === maxLength);
    group.unfinished = [...new Set(longest)];
    for (const beam of group.beams) {
      const best = choose(beam, children, value, options);
      for (const hypothesis of best) if (hypothesis.ended) finished.add(hypothesis);
      beam.alive = best.filter(({ ended }) => !ended);
    }
    for (const { words } of group.beams[0]?.alive ?? []) {
      const word = words.at(-1) ?? -1;
      chosen.set(word, (chosen.get(word) ?? 0) + 1);
    }
    group.finished = sortByScore([...finished], lengthPenalty).slice(0, wanted);
    const last = group.finished[wanted - 1];
    if (last !== undefined) prune(group, score(last, lengthPenalty), options);
  }
}

/** The best that come after a beam's hypotheses: `width` of them, or so many for each number of forced words they hold. */
function choose(
  { alive, width }: Beam,
  children: Children,
  value: (hypothesis: Hypothesis) => number,
  { constraints }: BeamsOptions,
): Hypothesis[] {
  const candidates = sortBy(alive.flatMap((hypothesis) => children.get(hypothesis) ?? []), value);
  if (constraints.forcedCount === 0) return candidates.slice(0, width);
  const banks = Map.groupBy(candidates, ({ words }) => constraints.missing(words).length);
  return [...banks.values()].flatMap((bank) => bank.slice(0, width));
}

/** Leaves out what cannot come to a better score: probabilities only fall, and no caption gets longer than the most. */
function prune({ beams }: Group, bar: number, { constraints: { maxLength }, lengthPenalty }: BeamsOptions): void {
  const longest = (maxLength + 1) ** lengthPenalty;
  for (const beam of beams) beam.alive = beam.alive.filter(({ logProbability }) => logProbability / longest > bar);
}

function foundBy({ finished, unfinished }: Group, options: BeamsOptions): Hypothesis[] {
  const found = finished.length > 0 ? finished : sortByScore(unfinished, options.lengthPenalty);
  if (found.length === 0) throw noCaption();
  return found.slice(0, options.wanted);
}

/**
 * What captions are compared by; see `BeamSearchOptions.lengthPenalty`.
 *
 * @param hypothesis A caption that has come to its end, or has as many words as another that has not.
 * @param lengthPenalty The exponent.
 */
function score({ words, logProbability, ended }: Hypothesis, lengthPenalty: number): number {
  return logProbability / (words.length + (ended ? 1 : 0)) ** lengthPenalty;
}

/**
 * Sorts captions, the best first.
 *
 * @param hypotheses The captions.
 * @param lengthPenalty See `BeamSearchOptions`.
 */
export function sortByScore(hypotheses: readonly Hypothesis[], lengthPenalty: number): Hypothesis[] {
  return sortBy(hypotheses, (hypothesis) => score(hypothesis, lengthPenalty));
}

/** Highest first; equal ones stay in their order. */
function sortBy(hypotheses: readonly Hypothesis[], value: (hypothesis: Hypothesis) => number): Hypothesis[] {
  return hypotheses.map((hypothesis) => ({ hypothesis, value: value(hypothesis) }))
    .sort((a, b) => b.value - a.value)
    .map(({ hypothesis }) => hypothesis);
}
