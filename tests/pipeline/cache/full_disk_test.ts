import assert from "node:assert/strict";
import { join } from "node:path";
import { describeBytes, freeBytes } from "../../../src/files/free_space.ts";
import { cacheDatabase, files, makeSetting, resizeToSquare, type Setting, SIDE } from "../../support/cache_setting.ts";

const WIDTHS = [20, 21, 22, 23, 24, 25];
const BYTES = SIDE * SIDE * 3;

function now(): number {
  return Date.now() + 10_000;
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
      `No cache of decoded images: it needs 1.7 kB in '${join(setting.folder, `${SIDE}-v5`)}' and the disk has ` +
      "1.7 kB left; images are decoded in each epoch instead, which takes longer; free some space to change that, for " +
      "example by: deno task cache clear",
    ]);
    assert.deepEqual(without.resized, WIDTHS.map(resizeToSquare));
    assert.deepEqual(without.decoded, { filling: 7, reading: 6 });
    assert.equal(countPixels(setting), 0);
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

Deno.test("a disk that fills up leaves what was stored, and the rest is decoded at each read", files, async () => {
  await using setting = await makeSetting(Array.from({ length: 600 }, (_, index) => `${20 + index}`));
  const { examples, opened } = setting;
  let left = 3;
  // Asked before the first image, then at each transaction.
  const disk = { now, reserve: 0, freeBytes: () => Promise.resolve(left-- > 0 ? 1e9 : 0) };
  const { decoded, notes } = await opened(examples, { disk });
  assert.equal(notes.length, 1);
  assert.match(
    notes.join(),
    /^No cache of decoded images: it needs 146 kB in '.+' and the disk has 0 bytes left; [^\n]+$/,
  );
  const stored = Number(countPixels(setting));
  assert(stored > 0 && stored < 600, `${stored}`);
  assert.deepEqual(decoded, { filling: 600, reading: 600 - stored });
  assert.deepEqual((await opened()).decoded, { filling: 600 - stored, reading: 0 });
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

function countPixels(setting: Setting): unknown {
  using database = cacheDatabase(setting);
  return database.prepare("SELECT count(*) AS count FROM pixels").get()?.count;
}
