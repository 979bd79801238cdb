/**
 * Captions that are being written, each a row of the model, and how they go on by a word.
 *
 * @module
 */

import { InputError } from "../input_error.ts";
import type { WordSequence } from "./caption.ts";
import type { Constraints, Permission } from "./constraints.ts";
import type { DecodeStep } from "./decode_step.ts";

/** A caption that is being written, or that has come to its end. */
export interface Hypothesis extends WordSequence {
  /** Its row in the model's last step; before the first, its image. */
  readonly row: number;
  /** Whether it has its end. */
  readonly ended: boolean;
}

/** What every search must know. */
export interface SearchOptions {
  /** Images to caption. */
  readonly images: number;
  /** The id that every caption is begun with. */
  readonly start: number;
  /** Words that the model gives probabilities of. */
  readonly vocabularySize: number;
  /** What captions keep to. */
  readonly constraints: Constraints;
}

/** What may come after a hypothesis. */
export interface Continuations {
  /** The forced words that it lacks. */
  readonly missing: readonly number[];
  /**
   * Goes through the words that may come next, best first; words of probability 0 never come. Of those that may come, at
   * least as many as were asked for.
   */
  words(): Generator<Continuation>;
}

/** A word that may come next. */
export interface Continuation {
  /** Its id. */
  readonly word: number;
  /** Natural logarithm of its probability. */
  readonly logProbability: number;
}

/** The empty caption of an image. */
export function emptyCaption(image: number): Hypothesis {
  return { words: [], logProbability: 0, row: image, ended: false };
}

/**
 * Takes a step of the model in each hypothesis.
 *
 * @param step The model.
 * @param hypotheses Those that go on, at least one.
 * @param width How many words are wanted of each, where so many may come.
 * @param options What every search must know.
 * @returns What may come after each.
 * @throws {InputError} If the model gives no numbers.
 */
export async function continuations(
  step: DecodeStep,
  hypotheses: readonly Hypothesis[],
  width: number,
  options: SearchOptions,
): Promise<Continuations[]> {
  const { start, vocabularySize, constraints } = options;
  const permissions = hypotheses.map(({ words }) => constraints.after(words));
  // A forced word may be the least probable of all.
  const wanted = permissions.map(({ refusals, missing }) => missing.length > 0 ? Infinity : width + refusals);
  const k = Math.min(
    vocabularySize,
    wanted.reduce((most, count) => Math.max(most, count)) + constraints.nameless(vocabularySize),
  );
  const { words, logProbabilities } = await step(
    Int32Array.from(hypotheses, ({ row }) => row),
    Int32Array.from(hypotheses, (hypothesis) => hypothesis.words.at(-1) ?? start),
    k,
  );
  return permissions.map((permission, row) => ({
    missing: permission.missing,
    words: () => permitted(words.subarray(row * k, (row + 1) * k), logProbabilities.subarray(row * k), permission),
  }));
}

function* permitted(
  words: Int32Array,
  logProbabilities: Float32Array,
  { permits }: Permission,
): Generator<Continuation> {
  for (const [rank, word] of words.entries()) {
    const logProbability = logProbabilities[rank] ?? NaN;
    if (Number.isNaN(logProbability)) {
      throw new InputError("Cannot write a caption: the model gives no numbers; take another checkpoint");
    }
    if (logProbability > -Infinity && permits(word)) yield { word, logProbability };
  }
}

/**
 * Adds a word to a hypothesis, or its end.
 *
 * @param hypothesis The hypothesis.
 * @param row The row that it had in the last step.
 * @param continuation The word.
 * @param end The end's id.
 */
export function extend(hypothesis: Hypothesis, row: number, continuation: Continuation, end: number): Hypothesis {
  const { word } = continuation;
  return {
    words: word === end ? hypothesis.words : [...hypothesis.words, word],
    logProbability: hypothesis.logProbability + continuation.logProbability,
    row,
    ended: word === end,
  };
}

/**
 * What a search hands out of a hypothesis.
 *
 * @param hypothesis The caption.
 */
export function sequenceOf({ words, logProbability }: Hypothesis): WordSequence {
  return { words, logProbability };
}

/** The error where no caption was found. */
export function noCaption(): InputError {
  return new InputError(
    "Cannot write a caption: none was found that keeps to all that is asked; ask for less, or for a wider beam",
  );
}
