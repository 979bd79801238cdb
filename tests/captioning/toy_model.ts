import assert from "node:assert/strict";
import type { TokenSequence } from "../../src/captioning/caption.ts";
import { Constraints, type ConstraintsOptions } from "../../src/captioning/constraints.ts";
import type { DecodeStep } from "../../src/captioning/hypotheses.ts";
import type { SearchOptions } from "../../src/captioning/hypotheses.ts";
import { Random } from "../../src/random.ts";

export const [PAD, UNKNOWN, START, END, A] = [0, 1, 2, 3, 4] as const;
/** Vocabulary size; the tokens from `A` on are words. */
export const WORDS = 8;
/** Maximum length of a caption, unless a test sets another. */
export const MOST = 4;
/** A beam as wide as all continuations. */
export const ALL: number = WORDS ** MOST;

/** log p(next token | image, token before, its position): natural logarithms of probabilities that sum to 1. */
export type Transitions = (image: number, before: number, position: number) => readonly number[];

/** At most 4 tokens, no special ones, and the constraints of the test. */
export function constraints(change: Partial<ConstraintsOptions> = {}): Constraints {
  return new Constraints({ ...rules(change) });
}

function rules(change: Partial<ConstraintsOptions>): ConstraintsOptions {
  const never = [PAD, UNKNOWN, START, ...change.never ?? []];
  return { end: END, vocabularySize: WORDS, maxLength: MOST, ...change, never };
}

/** Options of a search for one image. */
export function searchOptions(change: Partial<ConstraintsOptions> = {}): SearchOptions {
  return { images: 1, start: START, vocabularySize: WORDS, constraints: constraints(change) };
}

/** Log-softmax. */
export function logProbabilities(scores: readonly number[]): number[] {
  const total = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
  return scores.map((score) => score - total);
}

/** Random transitions; forbidden tokens are likely, to lead a search astray. */
export function randomTransitions(seed: number): Transitions {
  const random = new Random(seed);
  const rows = Array.from({ length: 4 * WORDS * WORDS }, () =>
    logProbabilities(
      Array.from({ length: WORDS }, (_, token) => 4 * random.next() + (token < END ? 2 : token === END ? 1.5 : 0)),
    ));
  return (image, before, position) => rows[(image * WORDS + before) * WORDS + position % WORDS] ?? [];
}

/** The same transitions after every token and for every image. */
export function constant(scores: readonly number[]): Transitions {
  return () => logProbabilities(scores);
}

/** A model with one row for each image, which finds a row's image and position by its parent alone. */
export function toyModel(transitions: Transitions, images: readonly number[] = [0]) {
  let rows = images.map((image) => ({ image, before: -1, position: -1 }));
  const calls: { rows: number; tokens: readonly number[] | null; k: number }[] = [];
  const step: DecodeStep = (parents, tokens, k) => {
    calls.push({ rows: parents.length, tokens: tokens && [...tokens], k });
    assert(k >= 1 && k <= WORDS, `k is ${k}`);
    rows = Array.from(parents, (parent, row) => {
      const from = rows[parent];
      assert(from !== undefined, `row ${parent} is not there`);
      return { image: from.image, before: tokens?.[row] ?? -1, position: from.position + (tokens ? 1 : 0) };
    });
    const best = rows.map(({ image, before, position }) =>
      [...(tokens ? transitions(image, before, position) : new Array<number>(WORDS).fill(0)).entries()]
        .sort(([, a], [, b]) => b - a).slice(0, k)
    );
    return Promise.resolve({
      tokens: Int32Array.from(best.flat(), ([token]) => token),
      logProbabilities: Float32Array.from(best.flat(), ([, value]) => value),
    });
  };
  return { step, calls };
}

/** A caption's log-probability with its end. */
export function logProbability(tokens: readonly number[], transitions: Transitions, image = 0): number {
  let sum = 0;
  [...tokens, END].forEach((token, index) =>
    sum += transitions(image, tokens[index - 1] ?? START, index)[token] ?? NaN
  );
  return sum;
}

/** Every caption that satisfies the constraints, best first. */
export function bruteForce(
  transitions: Transitions,
  change: Partial<ConstraintsOptions> = {},
  lengthPenalty = 0,
): TokenSequence[] {
  const { maxLength } = rules(change);
  const found: TokenSequence[] = [];
  const visit = (tokens: readonly number[]) => {
    if (satisfies(tokens, change)) found.push({ tokens, logProbability: logProbability(tokens, transitions) });
    if (tokens.length === maxLength) return;
    for (let token = A; token < WORDS; token++) visit([...tokens, token]);
  };
  visit([]);
  const score = ({ tokens, logProbability }: TokenSequence) => logProbability / (tokens.length + 1) ** lengthPenalty;
  return found.sort((a, b) => score(b) - score(a));
}

/** Whether a whole caption satisfies the constraints, each by its definition. */
export function satisfies(tokens: readonly number[], change: Partial<ConstraintsOptions>): boolean {
  const { maxLength, minLength = 1, never = [], forced = [], prefix = [], noRepeatNgramSize = 0 } = rules(change);
  const { badEndings = [] } = change;
  const closers = (change.closers ?? []).filter((token) => !badEndings.includes(token));
  const positions = tokens.map((_, position) => position).filter((position) => position >= prefix.length);
  const isRepeated = (position: number) => {
    const sequence = (end: number) => tokens.slice(Math.max(0, end + 1 - noRepeatNgramSize), end + 1).join(" ");
    return noRepeatNgramSize > 0 &&
      tokens.some((_, end) => end >= noRepeatNgramSize - 1 && end < position && sequence(end) === sequence(position));
  };
  return tokens.length >= Math.max(1, minLength) && tokens.length <= maxLength &&
    prefix.every((token, position) => tokens[position] === token) &&
    forced.every((token) => tokens.includes(token)) &&
    positions.every((position) => !never.includes(tokens[position] ?? -1)) &&
    !positions.some(isRepeated) &&
    !badEndings.includes(tokens.at(-1) ?? -1) &&
    !positions.some((position) =>
      closers.includes(tokens[position] ?? -1) && badEndings.includes(tokens[position - 1] ?? -1)
    );
}

export function assertSame(actual: TokenSequence | undefined, expected: TokenSequence | undefined): void {
  assert(expected !== undefined);
  assert.deepEqual(actual?.tokens, expected.tokens);
  assert(
    Math.abs((actual?.logProbability ?? NaN) - expected.logProbability) < 1e-5,
    `${actual?.logProbability} is not ${expected.logProbability}: ${actual?.tokens}`,
  );
}
