/**
 * Loading the next things while the present one is worked on.
 *
 * @module
 */

/**
 * Loads something for each key, in their order, and begins the next loads before the present result is asked for.
 * When the consumer stops early or a load fails, loads that have begun are waited for and their results dropped, so that
 * what they read from can be closed.
 *
 * @param load Loads one key's result.
 * @param keys The keys; taken one at a time, as loads begin.
 * @param depth How many loads may be under way or done beyond the one that the consumer has.
 * @throws {RangeError} If the depth is not an integer from 0.
 */
export async function* readAhead<Key, Value>(
  load: (key: Key) => Promise<Value>,
  keys: Iterable<Key>,
  depth = 1,
): AsyncGenerator<Value, void, undefined> {
  if (!Number.isInteger(depth) || depth < 0) {
    throw new RangeError(`Cannot read ahead: depth must be an integer from 0, got ${depth}`);
  }
  const iterator = keys[Symbol.iterator]();
  const begun: Promise<Value>[] = [];

  function begin(): void {
    const next = iterator.next();
    if (next.done) return;
    const { value } = next;
    const loading = (async () => await load(value))();
    // A failure is thrown when its turn comes; till then it must not count as unhandled.
    loading.catch(() => {});
    begun.push(loading);
  }

  try {
    for (let count = 0; count < depth; count++) begin();
    while (true) {
      begin();
      const first = begun.shift();
      if (first === undefined) return;
      yield await first;
    }
  } finally {
    iterator.return?.();
    await Promise.allSettled(begun);
  }
}
