import type { Recipe } from "./recipe.ts";

/** The position of a training run. */
export interface Progress {
  /** The validation score of each completed epoch, lower is better. */
  readonly validationScores: readonly number[];
  /** The score of the model that training started from, if it competes for the best. */
  readonly startScore?: number | undefined;
  /** Completed steps of the next epoch. */
  readonly step: number;
  /** Sums over these steps. */
  readonly sums: { readonly loss: number; readonly lossWeight: number; readonly gradientNorm: number };
}

/** Before the first step of an epoch. */
export const EPOCH_START = { step: 0, sums: { loss: 0, lossWeight: 0, gradientNorm: 0 } } as const;

/** Epochs since the best one; 0 if it was the last, all if the start was best. */
export function epochsSinceBest({ validationScores, startScore = Infinity }: Progress): number {
  const best = Math.min(...validationScores);
  if (startScore <= best) return validationScores.length;
  return validationScores.length - 1 - validationScores.indexOf(best);
}

/** Whether training ends early. Epochs with a frozen encoder do not count if it is fine-tuned after them. */
export function isOutOfPatience({ patience, epochs, frozenEpochs }: Recipe, progress: Progress): boolean {
  if (patience === 0) return false;
  const frozen = frozenEpochs < epochs ? frozenEpochs : 0;
  return Math.min(epochsSinceBest(progress), progress.validationScores.length - frozen) >= patience;
}
