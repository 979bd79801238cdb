import assert from "node:assert/strict";
import { join } from "node:path";
import { type CacheFile, openCacheFile } from "../../../src/pipeline/cache/cache_writer.ts";
import { describeBytes, freeBytes } from "../../../src/files/free_space.ts";
import type { ImageCacheOptions } from "../../../src/pipeline/cache/image_cache.ts";
import { cacheFile, files, makeSetting, resizeToSquare, SIDE } from "../../support/cache_setting.ts";

const WIDTHS = [20, 21, 22, 23, 24, 25];
const BYTES = SIDE * SIDE * 3;
type Disk = NonNullable<ImageCacheOptions["disk"]>;

function now(): number {
  return Date.now() + 10_000;
}

function full(): Promise<never> {
  return Promise.reject(Object.assign(new Error("no space left on device"), { code: "ENOSPC" }));
}

/** A disk that accepts a number of bytes for the files whose names match. */
function diskOf(room: number, name: RegExp): Disk {
  let left = room;
  return {
    now,
    reserve: 0,
    freeBytes: () => Promise.resolve(undefined),
    async open(path): Promise<CacheFile> {
      const file = await openCacheFile(path);
      return {
        seek: (offset, whence) => file.seek(offset, whence),
        truncate: (length) => file.truncate(length),
        syncData: () => file.syncData(),
        close: () => file.close(),
        async write(bytes) {
          if (!name.test(path)) return await file.write(bytes);
          if (left === 0) return await full();
          // Like a real disk, it writes what fits.
          const count = await file.write(bytes.subarray(0, left));
          left -= count;
          return count;
        },
      };
    },
  };
}

Deno.test(
  "if the disk has too little room, a note says how much is needed, and images are decoded at each read",
  files,
  async () => {
    await using setting = await makeSetting([...WIDTHS, "broken"].map(String));
    const { examples, opened } = setting;
    const needed = (WIDTHS.length + 1) * BYTES;
    const without = await opened(examples, {
      disk: { now, reserve: 0, freeBytes: () => Promise.resolve(needed - 1) },
    });
    assert.deepEqual(without.notes, [
      `No cache of decoded images: it needs 1.7 kB in '${join(setting.folder, `${SIDE}-v4`)}' and the disk has ` +
      "1.7 kB left; images are decoded in each epoch instead, which takes longer; free some space to change that, for " +
      "example by: deno task cache clear",
    ]);
    assert.deepEqual(without.resized, WIDTHS.map(resizeToSquare));
    assert.deepEqual(without.decoded, { filling: 7, reading: 6 });
    assert.equal((await Deno.stat(cacheFile(setting, "resized.bin"))).size, 0);
    // What is bad needs no room the second time.
    const enough = WIDTHS.length * BYTES;
    const again = await opened(examples, {
      disk: { now, reserve: 0, freeBytes: () => Promise.resolve(enough - 1) },
    });
    assert.deepEqual(again.decoded, { filling: 0, reading: 6 });
    const cached = await opened(examples, { disk: { now, reserve: 0, freeBytes: () => Promise.resolve(enough) } });
    assert.deepEqual(cached, { ...without, notes: [], decoded: { filling: 6, reading: 0 } });
    // Nothing is needed any more.
    const none = await opened(examples, { disk: { now, reserve: 0, freeBytes: () => Promise.resolve(0) } });
    assert.deepEqual([none.notes, none.decoded], [[], { filling: 0, reading: 0 }]);
  },
);

for (
  const [what, room, name] of [
    ["resized images", 2 * BYTES + 100, /resized/],
    ["the first resized image", 0, /resized/],
    ["lines of the index", 300, /index/],
    ["lines of bad images", 10, /quarantine/],
    ["any line", 0, /jsonl/],
    ["anything", 0, /./],
  ] as const
) {
  Deno.test(`a disk that turns out to be full at ${what} costs only the cache`, files, async () => {
    await using setting = await makeSetting([...WIDTHS, "broken"].map(String));
    const { examples, opened } = setting;
    const first = await opened(examples, { disk: diskOf(room, name) });
    assert.deepEqual(first.resized, WIDTHS.map(resizeToSquare));
    assert.deepEqual(first.broken.map(({ reason }) => reason), ["the file is text"]);
    assert.equal(first.decoded.filling, 7);
    // The room is given back: checkpoints need it.
    const { size } = await Deno.stat(cacheFile(setting, "resized.bin"));
    if (first.notes.length > 0) {
      assert.equal(size, 0);
      assert.match(
        first.notes.join("\n"),
        /^No cache of decoded images: it needs 1\.7 kB in '.+' and the disk is full; [^\n]+$/,
      );
      assert.equal(first.decoded.reading, 6);
    }
    const again = await opened();
    assert.deepEqual({ ...again, notes: [], decoded: 0 }, { ...first, notes: [], decoded: 0 });
    assert.deepEqual((await opened()).decoded, { filling: 0, reading: 0 });
  });
}

Deno.test("a full disk leaves resized images that were stored before", files, async () => {
  await using setting = await makeSetting(WIDTHS.map(String));
  const { examples, opened } = setting;
  await opened(examples.slice(0, 3));
  const { resized, decoded, notes } = await opened(examples, { disk: diskOf(BYTES, /resized/) });
  assert.deepEqual([resized, decoded, notes.length], [WIDTHS.map(resizeToSquare), { filling: 3, reading: 3 }, 1]);
  assert.equal((await Deno.stat(cacheFile(setting, "resized.bin"))).size, 3 * BYTES);
});

Deno.test("room is left for the files a run writes after its images", files, async () => {
  await using setting = await makeSetting(WIDTHS.map(String));
  const needed = WIDTHS.length * BYTES;
  const disk = (free: number) => ({ now, reserve: 1000, freeBytes: () => Promise.resolve(free) });
  const { notes, resized } = await setting.opened(setting.examples, { disk: disk(needed + 999) });
  assert.match(
    notes.join(),
    /^No cache of decoded images: .* and the disk has 2\.5 kB left, of which 1\.0 kB are kept for the run; /,
  );
  assert.deepEqual(resized, WIDTHS.map(resizeToSquare));
  assert.deepEqual((await setting.opened(setting.examples, { disk: disk(needed + 1000) })).notes, []);
});

Deno.test("if a cache is not writable, a note says so, and images are decoded at each read", files, async () => {
  await using setting = await makeSetting(WIDTHS.map(String));
  const open = () => Promise.reject(Object.assign(new Error("read-only"), { code: "EROFS" }));
  const disk = { now, reserve: 0, freeBytes: () => Promise.resolve(undefined), open };
  const { notes, resized } = await setting.opened(setting.examples, { disk });
  assert.match(
    notes.join("\n"),
    /^No cache of decoded images: Cannot .*: the folder is read-only, choose another; images are decoded/,
  );
  assert.deepEqual(resized, WIDTHS.map(resizeToSquare));
  const without = await setting.opened(setting.examples, { disk, cache: "none" });
  assert.deepEqual([without.notes, without.resized], [[], WIDTHS.map(resizeToSquare)]);
});

Deno.test("freeBytes() is the disk's free space, or unknown without the permission", files, async () => {
  const granted = (await Deno.permissions.query({ name: "sys", kind: "statfs" })).state === "granted";
  const free = await freeBytes(".");
  if (granted) assert(free !== undefined && free > 0 && Number.isFinite(free));
  else assert.equal(free, undefined);
});

Deno.test("describeBytes() writes bytes as people do", () => {
  assert.deepEqual([0, 999, 1000, 1_590_000_000, 2.5e14].map(describeBytes), [
    "0 bytes",
    "999 bytes",
    "1.0 kB",
    "1.6 GB",
    "250 TB",
  ]);
});
