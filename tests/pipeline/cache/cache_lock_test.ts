import assert from "node:assert/strict";
import { join } from "node:path";
import { lockCache, lockCacheAlone, lockFilling, tryLockFilling } from "../../../src/pipeline/cache/cache_lock.ts";
import { InputError } from "../../../src/input_error.ts";
import { files } from "../../support/cache_setting.ts";
import { temporaryFolder } from "../../support/checkpoint_folder.ts";

Deno.test("lockCache() is shared, and keeps lockCacheAlone() out until all are disposed", files, async () => {
  await using folder = await temporaryFolder();
  const cache = folder.file("cache");
  const one = await lockCache(cache);
  const other = await lockCache(cache);
  assert.equal(one.readOnly, undefined);
  one[Symbol.dispose]();
  assert.equal(await lockCacheAlone(cache), undefined);
  other[Symbol.dispose]();
  using alone = await lockCacheAlone(cache);
  assert(alone !== undefined);
});

Deno.test("lockCache() waits while a cache is removed, and locks the new one", files, async () => {
  await using folder = await temporaryFolder();
  const cache = folder.file("cache");
  const alone = await lockCacheAlone(cache);
  const waiting = lockCache(cache);
  await Deno.remove(join(cache, "lock"));
  alone?.[Symbol.dispose]();
  using _lock = await waiting;
  assert.equal(await lockCacheAlone(cache), undefined);
});

Deno.test("lockFilling() waits for the one that fills, says so once, and ends when it is aborted", files, async () => {
  await using folder = await temporaryFolder();
  const filling = await lockFilling(folder.path);
  assert.equal(await tryLockFilling(folder.path), undefined);
  let waits = 0;
  const waiting = lockFilling(folder.path, {
    onWait() {
      waits++;
      filling[Symbol.dispose]();
    },
  });
  using _next = await waiting;
  assert.equal(waits, 1);
  const abort = new AbortController();
  const aborted = lockFilling(folder.path, { signal: abort.signal, onWait: () => abort.abort() });
  await assert.rejects(aborted, { name: "AbortError" });
});

Deno.test("lockCache() names the folder that it cannot create", files, async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(folder.file("file"), "");
  await assert.rejects(
    lockCache(folder.file("file/cache")),
    (error) => error instanceof InputError && error.message.includes("file/cache"),
  );
});
