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
  /** The answers. */
  readonly answers: readonly (readonly [Ours, Theirs])[];
  /** The memory, NaN where a system does not tell. */
  readonly peaks: readonly [number, number];
}

/**
 * Starts two programs and measures A B A B. Only one of them computes at a time.
 *
 * @param ours The first.
 * @param theirs The second.
 * @param rounds How often.
 * @returns What they answered.
 */
export async function inTurns<Ours, Theirs>(
  ours: Entrant<Ours>,
  theirs: Entrant<Theirs>,
  rounds: number,
): Promise<Rounds<Ours, Theirs>> {
  await using a = await Contender.start(ours.program);
  await using b = await Contender.start(theirs.program);
  const answers: [Ours, Theirs][] = [];
  for (let round = 0; round < rounds; round++) {
    answers.push([ours.answer.parse(await a.measure()), theirs.answer.parse(await b.measure())]);
  }
  const [mine, other] = await Promise.all([a, b].map((contender) => contender.peakMemory().catch(() => NaN)));
  return { answers, peaks: [mine ?? NaN, other ?? NaN] };
}

/**
 * Starts a program and measures it.
 *
 * @param entrant The program.
 * @param rounds How often.
 * @returns What it answered.
 */
export async function alone<Measurement>(
  { program, answer }: Entrant<Measurement>,
  rounds: number,
): Promise<Measurement[]> {
  await using contender = await Contender.start(program);
  const answers: Measurement[] = [];
  for (let round = 0; round < rounds; round++) answers.push(answer.parse(await contender.measure()));
  return answers;
}
