import { Problem } from "./problem.ts";

/** Options of {@linkcode withDeadline}. */
export interface DeadlineOptions {
  /** The timeout. */
  readonly seconds: number;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

/**
 * Waits for work until a timeout or until its client is gone. Then the work's signal is aborted; if the work cannot stop,
 * its result is dropped.
 *
 * @throws {Problem} 503 on timeout or if the client is gone.
 */
export async function withDeadline<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  { seconds, signal }: DeadlineOptions,
): Promise<Result> {
  const controller = new AbortController();
  const end = (reason: string) => controller.abort(new Problem(503, reason, { retryAfter: seconds }));
  const late = () => end(`The answer took more than ${seconds} s; try again later`);
  const gone = () => end("The client is gone");
  const timer = setTimeout(late, 1000 * seconds);
  if (signal.aborted) gone();
  signal.addEventListener("abort", gone);
  const { promise: ended, reject } = Promise.withResolvers<never>();
  controller.signal.addEventListener("abort", () => reject(controller.signal.reason));
  try {
    const result = work(controller.signal);
    result.catch(() => {}); // if it loses the race
    return await Promise.race([result, ended]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", gone);
    ended.catch(() => {});
  }
}
