/**
 * Kendall's tau: how far two gradings of the same things agree in what they put before what.
 *
 * @module
 */

/** What {@linkcode kendallTau} finds, each -1 to 1; NaN where one of the gradings tells nothing apart. */
export interface KendallTau {
  /** Tau-b (Kendall 1945): pairs that either grading holds equal make both scales shorter. */
  readonly b: number;
  /** Tau-c (Stuart 1953): for a grading of a few steps against one of many. */
  readonly c: number;
}

/**
 * Compares two gradings in n log n steps (Knight 1966).
 *
 * @param first A grade for each thing.
 * @param second Another grade for each thing.
 * @returns Both kinds of tau.
 * @throws {RangeError} The gradings are not of the same length.
 *
 * @example Two of three pairs in the same order
 * ```ts
 * import assert from "node:assert/strict";
 * import { kendallTau } from "./kendall_tau.ts";
 *
 * assert.equal(kendallTau([1, 2, 3], [1, 3, 2]).b.toFixed(2), "0.33");
 * ```
 */
export function kendallTau(first: readonly number[], second: readonly number[]): KendallTau {
  if (first.length !== second.length) {
    throw new RangeError(`Cannot compare gradings: there are ${first.length} and ${second.length} grades`);
  }
  const count = first.length;
  const byFirst = Array.from(first, (grade, index): readonly [number, number] => [grade, second[index] ?? NaN])
    .sort(([a1, a2], [b1, b2]) => a1 - b1 || a2 - b2);
  const ordered = new Float64Array(byFirst.map(([, grade]) => grade));
  const both = ties(byFirst.map((grades) => grades.join()));
  const inFirst = ties(byFirst.map(([grade]) => grade));
  const discordant = sortAndCount(ordered);
  const inSecond = ties([...ordered]);

  const pairs = count * (count - 1) / 2;
  // Concordant and discordant ones are those that neither grading holds equal.
  const agreement = pairs - inFirst.pairs - inSecond.pairs + both.pairs - 2 * discordant;
  const steps = Math.min(inFirst.distinct, inSecond.distinct);
  return {
    b: agreement / Math.sqrt((pairs - inFirst.pairs) * (pairs - inSecond.pairs)),
    c: 2 * agreement / (count ** 2 * (steps - 1) / steps),
  };
}

/** How many different values there are, and how many pairs of equal ones; equal ones stand together. */
function ties(values: readonly (number | string)[]): { readonly distinct: number; readonly pairs: number } {
  let [distinct, pairs, before] = [0, 0, 0];
  for (const [index, value] of values.entries()) {
    before = index > 0 && value === values[index - 1] ? before + 1 : 0;
    if (before === 0) distinct++;
    pairs += before;
  }
  return { distinct, pairs };
}

/** Sorts values by merging, and counts the pairs that stood in the wrong order. */
function sortAndCount(values: Float64Array<ArrayBuffer>): number {
  let wrong = 0;
  let [from, to] = [values, new Float64Array(values.length)];
  for (let width = 1; width < values.length; width *= 2) {
    for (let start = 0; start < values.length; start += 2 * width) {
      const middle = Math.min(start + width, values.length);
      const end = Math.min(start + 2 * width, values.length);
      let [left, right] = [start, middle];
      for (let place = start; place < end; place++) {
        const takesRight = left === middle || (right < end && (from[right] ?? NaN) < (from[left] ?? NaN));
        if (takesRight) wrong += middle - left;
        to[place] = from[takesRight ? right++ : left++] ?? NaN;
      }
    }
    [from, to] = [to, from];
  }
  values.set(from);
  return wrong;
}
