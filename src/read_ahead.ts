/**
 * Loads the result of each item, several at once, and yields the results in the items' order, each as soon as it is
 * loaded: a slow source delays no result. If the consumer stops early or something fails, the source is ended, and
 * loads in progress are awaited and dropped, so that what they read from can be closed.
 *
 * @param source The items, taken one at a time as loads begin.
 * @param depth How many loads may be in progress or finished beyond the one the consumer waits for or uses.
 * @throws {RangeError} If the depth is not a non-negative integer.
 */
export async function* readAhead<Item, Result>(
  load: (item: Item) => Promise<Result>,
  source: Iterable<Item> | AsyncIterable<Item>,
  depth = 1,
): AsyncGenerator<Result, void, undefined> {
  if (!Number.isInteger(depth) || depth < 0) {
    throw new RangeError(`Cannot read ahead: depth must be an integer from 0, got ${depth}`);
  }
  const items = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const loads: Promise<Result>[] = [];
  let coming: Promise<IteratorResult<Item>> | undefined;
  let ended = false;

  function begin(item: IteratorResult<Item>): void {
    if (item.done) {
      ended = true;
      return;
    }
    const loading = (async () => await load(item.value))();
    // A failure is thrown in its turn; until then it must not count as unhandled.
    loading.catch(() => {});
    loads.push(loading);
  }

  try {
    while (true) {
      while (!ended && coming === undefined && loads.length <= depth) {
        const item = items.next();
        if ("then" in item) coming = item;
        else begin(item);
      }
      const [first] = loads;
      if (first === undefined && coming === undefined) return;
      const ready = await Promise.race([
        ...(first === undefined ? [] : [first.then((result) => ({ result }))]),
        ...(coming === undefined ? [] : [coming.then((item) => ({ item }))]),
      ]);
      if ("item" in ready) {
        coming = undefined;
        begin(ready.item);
      } else {
        loads.shift();
        yield ready.result;
      }
    }
  } finally {
    await items.return?.();
    await Promise.allSettled(loads);
  }
}
