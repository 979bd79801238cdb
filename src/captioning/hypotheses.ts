import type { NextTokens } from "../ffi/decoding.ts";
import { InputError } from "../input_error.ts";
import type { TokenSequence } from "./caption.ts";
import type { Constraints, Permission } from "./constraints.ts";

/**
 * One decoding step of a model: takes a token in each row and returns the k most probable next ones.
 *
 * @param parents For each row, the row of the previous step that it continues; at the first step, its image.
 * @param tokens The token of each row; null at the image's own step, if the model has one.
 */
export type DecodeStep = (
  parents: Int32Array<ArrayBuffer>,
  tokens: Int32Array<ArrayBuffer> | null,
  k: number,
) => Promise<NextTokens>;

/**
 * Prepends the image step for a model whose image is the first element of the sequence, so that searches need not know
 * of it.
 */
export function withImagesFirst(step: DecodeStep, images: number): DecodeStep {
  let begun = false;
  return async (parents, tokens, k) => {
    if (!begun) await step(Int32Array.from({ length: images }, (_, image) => image), null, 1);
    begun = true;
    return await step(parents, tokens, k);
  };
}

/** A partial or ended caption. */
export interface Hypothesis extends TokenSequence {
  /** Its row in the model's last step; before the first step, its image. */
  readonly row: number;
  /** Whether it has reached `<end>`. */
  readonly ended: boolean;
}

/** Options of every search. */
export interface SearchOptions {
  /** Number of images to caption. */
  readonly images: number;
  /** The id of `<start>`. */
  readonly start: number;
  /** Size of the model's output layer. */
  readonly vocabularySize: number;
  /** The constraints of the captions. */
  readonly constraints: Constraints;
}

/** The successors of a hypothesis. */
export interface Continuations {
  /** The forced tokens that the hypothesis lacks. */
  readonly missing: readonly number[];
  /** The permitted tokens, best first: at least as many as requested, if there are so many; none of probability 0. */
  tokens(): Generator<Continuation>;
}

/** A token that may come next. */
export interface Continuation {
  /** Its id. */
  readonly token: number;
  /** Natural logarithm of its probability. */
  readonly logProbability: number;
}

/** The empty caption of an image. */
export function emptyCaption(image: number): Hypothesis {
  return { tokens: [], logProbability: 0, row: image, ended: false };
}

/**
 * Runs one step of the model for all hypotheses, at least one.
 *
 * @param width How many permitted tokens to return for each.
 * @throws {InputError} If the model's probabilities are NaN.
 */
export async function continuations(
  step: DecodeStep,
  hypotheses: readonly Hypothesis[],
  width: number,
  options: SearchOptions,
): Promise<Continuations[]> {
  const { start, vocabularySize, constraints } = options;
  const permissions = hypotheses.map(({ tokens }) => constraints.after(tokens));
  // A forced token may be the least probable of all.
  const wanted = permissions.map(({ refusals, missing }) => missing.length > 0 ? Infinity : width + refusals);
  const k = Math.min(
    vocabularySize,
    wanted.reduce((most, count) => Math.max(most, count)) + constraints.beyondVocabulary(vocabularySize),
  );
  const { tokens, logProbabilities } = await step(
    Int32Array.from(hypotheses, ({ row }) => row),
    Int32Array.from(hypotheses, (hypothesis) => hypothesis.tokens.at(-1) ?? start),
    k,
  );
  return permissions.map((permission, row) => ({
    missing: permission.missing,
    tokens: () => permitted(tokens.subarray(row * k, (row + 1) * k), logProbabilities.subarray(row * k), permission),
  }));
}

function* permitted(
  tokens: Int32Array,
  logProbabilities: Float32Array,
  { permits }: Permission,
): Generator<Continuation> {
  for (const [rank, token] of tokens.entries()) {
    const logProbability = logProbabilities[rank] ?? NaN;
    if (Number.isNaN(logProbability)) {
      throw new InputError("Cannot write a caption: the model's probabilities are NaN; use another checkpoint");
    }
    if (logProbability > -Infinity && permits(token)) yield { token, logProbability };
  }
}

/** Appends a token to a hypothesis, or ends it. */
export function extend(hypothesis: Hypothesis, row: number, continuation: Continuation, end: number): Hypothesis {
  const { token } = continuation;
  return {
    tokens: token === end ? hypothesis.tokens : [...hypothesis.tokens, token],
    logProbability: hypothesis.logProbability + continuation.logProbability,
    row,
    ended: token === end,
  };
}

/** The caption of a hypothesis. */
export function sequenceOf({ tokens, logProbability }: Hypothesis): TokenSequence {
  return { tokens, logProbability };
}

/** The error if no caption was found. */
export function noCaption(): InputError {
  return new InputError(
    "Cannot write a caption: none was found that satisfies all constraints; relax one, or use a larger beam",
  );
}
