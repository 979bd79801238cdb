/**
 * Several models that write one caption.
 *
 * @module
 */

import type { DecodeStep } from "./decode_step.ts";

/** A model among others. */
export interface Member {
  /** Its step; one that begins with a word. */
  readonly step: DecodeStep;
  /** Words that it gives probabilities of. */
  readonly vocabularySize: number;
}

/**
 * Makes one model of several with the same words: the probability of a word is the mean of theirs.
 *
 * @param members The models, at least one.
 * @returns A model that knows as many words as the least of them.
 */
export function ensembleStep(members: readonly Member[]): DecodeStep {
  const size = Math.min(...members.map(({ vocabularySize }) => vocabularySize));
  return async (parents, words, k) => {
    const rows = parents.length;
    const sums = new Float64Array(rows * size);
    const answers = await Promise.all(members.map((member) => member.step(parents, words, member.vocabularySize)));
    for (const [index, next] of answers.entries()) {
      const width = members[index]?.vocabularySize ?? size;
      for (const [place, word] of next.words.entries()) {
        const sum = Math.floor(place / width) * size + word;
        if (word < size) sums[sum] = (sums[sum] ?? 0) + Math.exp(next.logProbabilities[place] ?? NaN);
      }
    }
    const best = { words: new Int32Array(rows * k), logProbabilities: new Float32Array(rows * k) };
    for (let row = 0; row < rows; row++) {
      const probabilities = sums.subarray(row * size, (row + 1) * size);
      for (const [rank, word] of mostProbable(probabilities, k).entries()) {
        best.words[row * k + rank] = word;
        // Rounding may bring a sum over 1.
        best.logProbabilities[row * k + rank] = Math.min(0, Math.log((probabilities[word] ?? NaN) / members.length));
      }
    }
    return best;
  };
}

/** The k words of the highest values, highest first, equal ones in the words' order; values that are none come first. */
function mostProbable(values: Float64Array, k: number): Uint32Array | number[] {
  const higher = (a: number, b: number) => rank(values[b]) - rank(values[a]) || a - b;
  if (k > 64) return Uint32Array.from(values, (_, word) => word).sort(higher).subarray(0, k);
  const best: number[] = [];
  for (const word of values.keys()) {
    const last = best[k - 1];
    if (last !== undefined && higher(word, last) > 0) continue;
    let place = Math.min(best.length, k - 1);
    for (; place > 0 && higher(word, best[place - 1] ?? 0) < 0; place--) best[place] = best[place - 1] ?? 0;
    best[place] = word;
  }
  return best;
}

function rank(value = NaN): number {
  return Number.isNaN(value) ? 2 : value;
}
