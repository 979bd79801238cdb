/**
 * Answers that come in time or not at all.
 *
 * @module
 */

import { Problem } from "./problem.ts";

/** Options of {@linkcode withDeadline}. */
export interface DeadlineOptions {
  /** The time that there is. */
  readonly seconds: number;
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
}

/**
 * Waits for work as long as there is time and someone to wait for it. The work is told by its signal; what it cannot stop
 * goes on unheard.
 *
 * @param work The work.
 * @param options See {@linkcode DeadlineOptions}.
 * @returns What the work returns.
 * @throws {Problem} 503 when the time is over or nobody waits.
 */
export async function withDeadline<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  { seconds, signal }: DeadlineOptions,
): Promise<Result> {
  const controller = new AbortController();
  const end = (reason: string) => controller.abort(new Problem(503, reason, { retryAfter: seconds }));
  const late = () => end(`The answer took more than ${seconds} s; try again later`);
  const gone = () => end("Nobody waits for the answer");
  const timer = setTimeout(late, 1000 * seconds);
  if (signal.aborted) gone();
  signal.addEventListener("abort", gone);
  const { promise: ended, reject } = Promise.withResolvers<never>();
  controller.signal.addEventListener("abort", () => reject(controller.signal.reason));
  try {
    const result = work(controller.signal);
    result.catch(() => {}); // where it loses the race
    return await Promise.race([result, ended]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", gone);
    ended.catch(() => {});
  }
}
