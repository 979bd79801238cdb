import type { DecodeStep } from "./hypotheses.ts";

/** A model of an ensemble. */
export interface Member {
  /** Its step; one that begins with a token. */
  readonly step: DecodeStep;
  /** Size of its output layer. */
  readonly vocabularySize: number;
}

/**
 * Combines several models with the same vocabulary: the probability of a token is the mean of theirs.
 *
 * @returns A model with the smallest vocabulary size among the members.
 */
export function ensembleStep(members: readonly Member[]): DecodeStep {
  const size = Math.min(...members.map(({ vocabularySize }) => vocabularySize));
  return async (parents, tokens, k) => {
    const rows = parents.length;
    const sums = new Float64Array(rows * size);
    const answers = await Promise.all(members.map((member) => member.step(parents, tokens, member.vocabularySize)));
    for (const [index, next] of answers.entries()) {
      const width = members[index]?.vocabularySize ?? size;
      for (const [at, token] of next.tokens.entries()) {
        const sum = Math.floor(at / width) * size + token;
        if (token < size) sums[sum] = (sums[sum] ?? 0) + Math.exp(next.logProbabilities[at] ?? NaN);
      }
    }
    const best = { tokens: new Int32Array(rows * k), logProbabilities: new Float32Array(rows * k) };
    for (let row = 0; row < rows; row++) {
      const probabilities = sums.subarray(row * size, (row + 1) * size);
      for (const [rank, token] of mostProbable(probabilities, k).entries()) {
        best.tokens[row * k + rank] = token;
        // Rounding may bring the mean over 1.
        best.logProbabilities[row * k + rank] = Math.min(0, Math.log((probabilities[token] ?? NaN) / members.length));
      }
    }
    return best;
  };
}

/** The indices of the k highest values, highest first, ties in index order; NaN comes first. */
function mostProbable(values: Float64Array, k: number): Uint32Array | number[] {
  const higher = (a: number, b: number) => rank(values[b]) - rank(values[a]) || a - b;
  if (k > 64) return Uint32Array.from(values, (_, token) => token).sort(higher).subarray(0, k);
  const best: number[] = [];
  for (const token of values.keys()) {
    const last = best[k - 1];
    if (last !== undefined && higher(token, last) > 0) continue;
    let at = Math.min(best.length, k - 1);
    for (; at > 0 && higher(token, best[at - 1] ?? 0) < 0; at--) best[at] = best[at - 1] ?? 0;
    best[at] = token;
  }
  return best;
}

function rank(value = NaN): number {
  return Number.isNaN(value) ? 2 : value;
}
