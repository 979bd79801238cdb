/**
 * A model that is a table, and all the captions that it could write.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { WordSequence } from "../../src/captioning/caption.ts";
import { Constraints, type ConstraintsOptions } from "../../src/captioning/constraints.ts";
import type { DecodeStep } from "../../src/captioning/decode_step.ts";
import type { SearchOptions } from "../../src/captioning/hypotheses.ts";
import { Random } from "../../src/random.ts";

export const [PAD, UNKNOWN, START, END, A] = [0, 1, 2, 3, 4] as const;
/** Words that the model knows; those from `A` on are written. */
export const WORDS = 8;
/** The most words of a caption, where a test says nothing else. */
export const MOST = 4;
/** A beam as wide as all continuations. */
export const ALL: number = WORDS ** MOST;

/** log p(next word | image, word before, its place): natural logarithms of probabilities that sum to 1. */
export type Transitions = (image: number, before: number, place: number) => readonly number[];

/** Constraints of a test: at most 4 words and no special ones, and what it adds. */
export function constraints(change: Partial<ConstraintsOptions> = {}): Constraints {
  return new Constraints({ ...rules(change) });
}

function rules(change: Partial<ConstraintsOptions>): ConstraintsOptions {
  const never = [PAD, UNKNOWN, START, ...change.never ?? []];
  return { end: END, words: WORDS, maxLength: MOST, ...change, never };
}

/** What every search is given, for one image. */
export function searchOptions(change: Partial<ConstraintsOptions> = {}): SearchOptions {
  return { images: 1, start: START, vocabularySize: WORDS, constraints: constraints(change) };
}

/** Scores to logarithms of probabilities. */
export function logProbabilities(scores: readonly number[]): number[] {
  const total = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
  return scores.map((score) => score - total);
}

/** Transitions drawn at random; what may not be written is likely, so that a search is led astray. */
export function randomTransitions(seed: number): Transitions {
  const random = new Random(seed);
  const drawn = Array.from({ length: 4 * WORDS * WORDS }, () =>
    logProbabilities(
      Array.from({ length: WORDS }, (_, word) => 4 * random.next() + (word < END ? 2 : word === END ? 1.5 : 0)),
    ));
  return (image, before, place) => drawn[(image * WORDS + before) * WORDS + place % WORDS] ?? [];
}

/** The same transitions after every word and for every image. */
export function constant(scores: readonly number[]): Transitions {
  return () => logProbabilities(scores);
}

/** A model with one row for each image that knows a row's image and place by its parent alone. */
export function toyModel(transitions: Transitions, images: readonly number[] = [0]) {
  let rows = images.map((image) => ({ image, before: -1, place: -1 }));
  const calls: { rows: number; words: readonly number[] | null; k: number }[] = [];
  const step: DecodeStep = (parents, words, k) => {
    calls.push({ rows: parents.length, words: words && [...words], k });
    assert(k >= 1 && k <= WORDS, `k is ${k}`);
    rows = Array.from(parents, (parent, row) => {
      const from = rows[parent];
      assert(from !== undefined, `row ${parent} is not there`);
      return { image: from.image, before: words?.[row] ?? -1, place: from.place + (words ? 1 : 0) };
    });
    const best = rows.map(({ image, before, place }) =>
      [...(words ? transitions(image, before, place) : new Array<number>(WORDS).fill(0)).entries()]
        .sort(([, a], [, b]) => b - a).slice(0, k)
    );
    return Promise.resolve({
      words: Int32Array.from(best.flat(), ([word]) => word),
      logProbabilities: Float32Array.from(best.flat(), ([, value]) => value),
    });
  };
  return { step, calls };
}

/** A caption's log-probability with its end. */
export function logProbability(words: readonly number[], transitions: Transitions, image = 0): number {
  let sum = 0;
  [...words, END].forEach((word, index) => sum += transitions(image, words[index - 1] ?? START, index)[word] ?? NaN);
  return sum;
}

/** Every caption that keeps to the constraints, best first. */
export function bruteForce(
  transitions: Transitions,
  change: Partial<ConstraintsOptions> = {},
  lengthPenalty = 0,
): WordSequence[] {
  const { maxLength } = rules(change);
  const found: WordSequence[] = [];
  const visit = (words: readonly number[]) => {
    if (keeps(words, change)) found.push({ words, logProbability: logProbability(words, transitions) });
    if (words.length === maxLength) return;
    for (let word = A; word < WORDS; word++) visit([...words, word]);
  };
  visit([]);
  const score = ({ words, logProbability }: WordSequence) => logProbability / (words.length + 1) ** lengthPenalty;
  return found.sort((a, b) => score(b) - score(a));
}

/** Whether a whole caption keeps to the constraints, each by its definition. */
export function keeps(words: readonly number[], change: Partial<ConstraintsOptions>): boolean {
  const { maxLength, minLength = 1, never = [], forced = [], prefix = [], noRepeatNgramSize = 0 } = rules(change);
  const { badEndings = [] } = change;
  const closers = (change.closers ?? []).filter((word) => !badEndings.includes(word));
  const places = words.map((_, place) => place).filter((place) => place >= prefix.length);
  const isRepeated = (place: number) => {
    const sequence = (end: number) => words.slice(Math.max(0, end + 1 - noRepeatNgramSize), end + 1).join(" ");
    return noRepeatNgramSize > 0 &&
      words.some((_, end) => end >= noRepeatNgramSize - 1 && end < place && sequence(end) === sequence(place));
  };
  return words.length >= Math.max(1, minLength) && words.length <= maxLength &&
    prefix.every((word, place) => words[place] === word) &&
    forced.every((word) => words.includes(word)) &&
    places.every((place) => !never.includes(words[place] ?? -1)) &&
    !places.some(isRepeated) &&
    !badEndings.includes(words.at(-1) ?? -1) &&
    !places.some((place) => closers.includes(words[place] ?? -1) && badEndings.includes(words[place - 1] ?? -1));
}

/** Fails where two captions are not the same. */
export function assertSame(actual: WordSequence | undefined, expected: WordSequence | undefined): void {
  assert(expected !== undefined);
  assert.deepEqual(actual?.words, expected.words);
  assert(
    Math.abs((actual?.logProbability ?? NaN) - expected.logProbability) < 1e-5,
    `${actual?.logProbability} is not ${expected.logProbability}: ${actual?.words}`,
  );
}
