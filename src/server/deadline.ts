/**
 * Waits for a result until a signal is aborted; later results are dropped.
 *
 * @throws The signal's reason once it is aborted.
 */
export async function untilAborted<Result>(result: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    return await Promise.race([result, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Creates a queue whose work runs one at a time; work that still waits is dropped when its signal is aborted. */
export function oneAtATime(): <Result>(work: () => Promise<Result>, signal: AbortSignal) => Promise<Result> {
  let last: Promise<void> = Promise.resolve();
  return async (work, signal) => {
    const before = last;
    const { promise: done, resolve } = Promise.withResolvers<void>();
    last = before.then(() => done);
    try {
      await untilAborted(before, signal);
      return await work();
    } finally {
      resolve();
    }
  };
}
