/**
 * Measuring two programs in turns, so that a machine that grows slower or faster concerns both alike.
 *
 * @module
 */

import type { z } from "zod";
import { Contender, type ContenderOptions } from "./contender.ts";

/** What is measured of a program. */
export interface Entrant<Measurement> {
  /** How it is started. */
  readonly program: ContenderOptions;
  /** What it answers. */
  readonly answer: z.ZodType<Measurement>;
}

/** What two programs answered, round by round, and the most memory that each had, in bytes. */
export interface Rounds<Ours, Theirs> {
  /** The answers; without a counterpart ours alone. */
  readonly answers: readonly (readonly [ours: Ours, theirs?: Theirs])[];
  /** The memory, NaN if the system does not tell; without a counterpart ours alone. */
  readonly peaks: readonly [ours: number, theirs?: number];
}

/** A figure of each answer, as rows take them. */
export function figures<Answer>(
  answers: Rounds<Answer, Answer>["answers"],
  figure: (answer: Answer) => number,
): [ours: number, theirs?: number][] {
  return answers.map(([ours, theirs]) => theirs === undefined ? [figure(ours)] : [figure(ours), figure(theirs)]);
}

/**
 * Starts two programs and measures A B A B. Only one of them computes at a time.
 *
 * @param ours The first.
 * @param theirs The second; undefined measures the first alone.
 * @param rounds How often.
 * @returns What they answered.
 */
export async function inTurns<Ours, Theirs>(
  ours: Entrant<Ours>,
  theirs: Entrant<Theirs> | undefined,
  rounds: number,
): Promise<Rounds<Ours, Theirs>> {
  await using a = await Contender.start(ours.program);
  await using b = theirs && await Contender.start(theirs.program);
  const answers: [Ours, Theirs?][] = [];
  for (let round = 0; round < rounds; round++) {
    const mine = ours.answer.parse(await a.measure());
    answers.push(b && theirs ? [mine, theirs.answer.parse(await b.measure())] : [mine]);
  }
  const peakOf = (contender: Contender) => contender.peakMemory().catch(() => NaN);
  return { answers, peaks: b === undefined ? [await peakOf(a)] : [await peakOf(a), await peakOf(b)] };
}

/**
 * Starts a program and measures it.
 *
 * @param entrant The program.
 * @param rounds How often.
 * @returns What it answered.
 */
export async function alone<Measurement>(entrant: Entrant<Measurement>, rounds: number): Promise<Measurement[]> {
  const { answers } = await inTurns(entrant, undefined, rounds);
  return answers.map(([answer]) => answer);
}
