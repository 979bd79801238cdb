import assert from "node:assert/strict";
import { join } from "node:path";
import { lockCache, tryLockCache } from "../../../src/pipeline/cache/cache_lock.ts";
import { cacheFile, files, makeSetting } from "../../support/cache_setting.ts";
import { makeFolder } from "../../support/temporary_folder.ts";

Deno.test("opening a cache that another process fills reports it once, waits, and can be aborted", files, async () => {
  await using setting = await makeSetting(["20"]);
  using _lock = await lockCache(cacheFile(setting, "."));
  const abort = new AbortController();
  let waits = 0;
  setTimeout(() => abort.abort(), 350);
  await assert.rejects(
    setting.opened(setting.examples, { signal: abort.signal, onWait: () => waits++ }),
    { name: "AbortError" },
  );
  assert.deepEqual([waits, setting.counts.decoded], [1, 0]);
});

Deno.test("lockCache() gets the lock when the other gives it back", files, async () => {
  await using folder = await makeFolder({});
  const first = await lockCache(folder.path);
  assert.equal(await tryLockCache(folder.path), undefined);
  const waiting = lockCache(folder.path);
  first[Symbol.dispose]();
  (await waiting)[Symbol.dispose]();
});

Deno.test("lockCache() recreates the folder if the cache was cleared while it waited", files, async () => {
  await using folder = await makeFolder({});
  const cache = join(folder.path, "cache");
  const first = await lockCache(cache);
  const waiting = lockCache(cache);
  await Deno.remove(cache, { recursive: true });
  first[Symbol.dispose]();
  using _lock = await waiting;
  assert((await Deno.stat(join(cache, "lock"))).isFile);
  assert.equal(await tryLockCache(cache), undefined, "what others find is locked");
});

for (const made of ["nobody has recreated", "another process has recreated"]) {
  Deno.test(
    `lockCache() is not content with a lock that was removed as it was opened, and that ${made}`,
    files,
    async () => {
      await using folder = await makeFolder({ lock: "" });
      const path = join(folder.path, "lock");
      const { open } = Deno;
      Deno.open = async (...args) => {
        Deno.open = open;
        const file = await open(...args);
        await Deno.remove(path);
        if (made.startsWith("another")) await Deno.writeTextFile(path, "");
        return file;
      };
      try {
        assert.equal(await tryLockCache(folder.path), undefined);
      } finally {
        Deno.open = open;
      }
    },
  );
}
