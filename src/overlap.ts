/**
 * Working on the next things while the present ones are not done.
 *
 * @module
 */

/**
 * Works on things as they come, several at once, and gives the results in the things' order, each as soon as it is there:
 * a source that lets wait holds back no result. When the consumer stops early or something fails, work that has begun is
 * waited for and its results dropped.
 *
 * @param source The things.
 * @param work Works on one.
 * @param depth How many are worked on at once, at least 1.
 */
export async function* overlap<Thing, Result>(
  source: AsyncIterable<Thing>,
  work: (thing: Thing) => Promise<Result>,
  depth: number,
): AsyncGenerator<Result, void, undefined> {
  const things = source[Symbol.asyncIterator]();
  const begun: Promise<Result>[] = [];
  let coming: Promise<IteratorResult<Thing>> | undefined;
  let ended = false;
  try {
    while (true) {
      if (!ended && begun.length < depth) coming ??= things.next();
      const [first] = begun;
      if (first === undefined && coming === undefined) return;
      const next = await Promise.race([
        ...(first === undefined ? [] : [first.then((result) => ({ result }))]),
        ...(coming === undefined ? [] : [coming.then((thing) => ({ thing }))]),
      ]);
      if ("result" in next) {
        begun.shift();
        yield next.result;
        continue;
      }
      coming = undefined;
      if (next.thing.done) ended = true;
      else {
        const working = work(next.thing.value);
        // A failure is thrown when its turn comes; till then it must not count as unhandled.
        working.catch(() => {});
        begun.push(working);
      }
    }
  } finally {
    await things.return?.();
    await Promise.allSettled(begun);
  }
}
