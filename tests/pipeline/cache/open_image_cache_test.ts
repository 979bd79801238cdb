import assert from "node:assert/strict";
import { InputError } from "../../../src/input_error.ts";
import { ImageError } from "../../../src/images/image_error.ts";
import { openImageCache } from "../../../src/pipeline/cache/open_image_cache.ts";
import { lockFilling } from "../../../src/pipeline/cache/cache_lock.ts";
import { drawnImage } from "../../golden/drawn_image.ts";
import {
  cacheDatabase,
  cacheFile,
  files,
  makeSetting,
  nearest,
  readResized,
  resizeToSquare,
  type Setting,
  SIDE,
} from "../../support/cache_setting.ts";

Deno.test("openImageCache() stores each resized image and skips the broken ones", files, async () => {
  await using setting = await makeSetting(["20", "broken", "31", "25"]);
  const progress: number[] = [];
  using cache = await openImageCache(setting.examples, {
    ...setting.options,
    onProgress: (done, total) => progress.push(done / total),
  });
  assert.deepEqual(cache.examples.map(({ name }) => name), ["0.jpg", "2.jpg", "3.jpg"]);
  assert.deepEqual(cache.broken, [{ path: setting.examples[1]?.path, reason: "the file is text" }]);
  assert.deepEqual(progress, [0.25, 0.5, 0.75, 1]);
  assert.deepEqual(await readResized(cache), [20, 31, 25].map(resizeToSquare));
  assert.equal(setting.counts.open, 0, "decoders are not kept while there is nothing to decode");
});

Deno.test(
  "ImageCache.read() cuts the center as torchvision's CenterCrop does, a half rounded to even",
  files,
  async () => {
    await using setting = await makeSetting(["20"]);
    using cache = await openImageCache(setting.examples, setting.options);
    const whole = nearest(drawnImage(20, 20), SIDE);
    // round((9 - crop) / 2.0) in Python
    for (const [crop, offset] of [[9, 0], [8, 0], [7, 1], [6, 2], [5, 2], [4, 2], [3, 3], [2, 4], [1, 4]] as const) {
      const pixels = new Uint8Array(crop * crop * 3);
      await cache.read(0, crop, pixels);
      const row = (offset * SIDE + offset) * 3;
      assert.deepEqual(pixels.subarray(0, crop * 3), whole.subarray(row, row + crop * 3), `crop ${crop}`);
      const last = ((offset + crop - 1) * SIDE + offset) * 3;
      assert.deepEqual(pixels.subarray(-crop * 3), whole.subarray(last, last + crop * 3), `crop ${crop}`);
    }
  },
);

Deno.test("ImageCache.read() rejects indices and sizes it does not have", files, async () => {
  await using setting = await makeSetting(["20"]);
  using cache = await openImageCache(setting.examples, setting.options);
  await assert.rejects(cache.read(1, 1, new Uint8Array(3)), RangeError);
  await assert.rejects(cache.read(0, 10, new Uint8Array(300)), RangeError);
  await assert.rejects(cache.read(0, 2, new Uint8Array(3)), RangeError);
});

Deno.test(
  "a second start with nothing changed decodes nothing and waits for no lock",
  files,
  async () => {
    await using setting = await makeSetting(["20", "broken", "31"]);
    const first = await setting.opened();
    assert.deepEqual(first.decoded, { filling: 3, reading: 0 });
    using _lock = await lockFilling(cacheFile(setting, "."));
    const abort = new AbortController();
    const again = await setting.opened(setting.examples, { signal: abort.signal, onWait: () => abort.abort() });
    assert.deepEqual(again, { ...first, decoded: { filling: 0, reading: 0 } });
    assert.equal(setting.counts.pools, 1);
  },
);

Deno.test(
  "a changed image is decoded again, and one that was only touched, renamed or copied is not",
  files,
  async () => {
    await using setting = await makeSetting(["20", "31"]);
    const { examples, opened } = setting;
    const [first, second] = examples;
    assert(first !== undefined && second !== undefined);
    const before = await opened();
    await Deno.utime(first.path, 1, 1);
    assert.deepEqual((await opened()).decoded, { filling: 0, reading: 0 }, "touched");
    const copy = { ...first, name: "copy.jpg", path: `${first.path}.copy` };
    await Deno.copyFile(first.path, copy.path);
    await Deno.rename(second.path, `${second.path}.moved`);
    const moved = { ...second, path: `${second.path}.moved` };
    const after = await opened([first, copy, moved]);
    assert.deepEqual(after.decoded, { filling: 0, reading: 0 }, "copied and renamed");
    assert.deepEqual(after.resized, [20, 20, 31].map(resizeToSquare));
    await Deno.writeTextFile(first.path, "025");
    // If a copying program resets the modification time, ctime still reveals the change.
    await Deno.utime(first.path, 1, 1);
    const changed = await opened([first, copy, moved]);
    assert.deepEqual(changed.decoded, { filling: 1, reading: 0 }, "changed");
    assert.deepEqual(changed.resized, [25, 20, 31].map(resizeToSquare));
    assert.notEqual(changed.fingerprint, after.fingerprint);
    assert.notEqual(after.fingerprint, before.fingerprint);
  },
);

Deno.test("images that several files hold are decoded once, bad ones too", files, async () => {
  await using setting = await makeSetting(["20", "20", "broken", "20", "broken"]);
  const { decoded, resized, broken } = await setting.opened();
  assert.equal(decoded.filling, 2);
  assert.deepEqual(resized, [20, 20, 20].map(resizeToSquare));
  assert.deepEqual(broken.map(({ path }) => path), [2, 4].map((index) => setting.examples[index]?.path));
});

Deno.test("images within a larger file are distinguished by their offset", files, async () => {
  await using setting = await makeSetting(["2031broken"]);
  const { path = "" } = setting.examples[0] ?? {};
  const parts = [[0, 2], [2, 2], [4, 6]].map(([offset = 0, size = 0]) => (
    { name: `${offset}`, path, offset, size, captions: ["an image"] }
  ));
  const first = await setting.opened(parts);
  assert.deepEqual(first.resized, [20, 31].map(resizeToSquare));
  assert.deepEqual(first.decoded, { filling: 3, reading: 0 });
  assert.deepEqual((await setting.opened(parts)).decoded, { filling: 0, reading: 0 });
});

Deno.test("a changed setting has its own resized images and leaves the others", files, async () => {
  await using setting = await makeSetting(["20", "31"]);
  const { examples, opened } = setting;
  const fingerprints = [
    await opened(),
    await opened(examples, { side: SIDE + 1 }),
    await opened(examples, { decoding: { applyExif: false } }),
  ].map(({ fingerprint, decoded }) => {
    assert.equal(decoded.filling, 2);
    return fingerprint;
  });
  assert.equal(new Set(fingerprints).size, 3);
  assert.equal((await opened()).decoded.filling, 0);
  assert.equal((await opened(examples.slice(1))).decoded.filling, 0, "fewer images are there too");
});

Deno.test(
  "bad images are listed with their reasons, and not tried again while nothing has changed",
  files,
  async () => {
    await using setting = await makeSetting(["20", "broken"]);
    const { examples, opened } = setting;
    const { path = "" } = examples[1] ?? {};
    await opened();
    {
      using database = cacheDatabase(setting);
      const rows = database.prepare(
        "SELECT path, size, changed, reason FROM files NATURAL JOIN images WHERE reason <> ''",
      );
      assert.deepEqual({ ...rows.get() }, {
        path,
        size: 6,
        changed: (await Deno.stat(path)).ctime?.getTime(),
        reason: "the file is text",
      });
      assert.equal(rows.all().length, 1);
    }
    assert.equal((await opened()).decoded.filling, 0);
    await Deno.writeTextFile(path, "31");
    const mended = await opened();
    assert.deepEqual([mended.decoded.filling, mended.broken.length], [1, 0]);
  },
);

Deno.test(
  "an image over the limit is tried again when the limit is raised, and one that took too long each time",
  files,
  async () => {
    await using setting = await makeSetting(["20", "100", "slow"]);
    const { examples, opened } = setting;
    const decodes = async (maxPixels: number) => {
      const { decoded, broken } = await opened(examples, { maxPixels });
      return [decoded.filling, broken.length];
    };
    assert.deepEqual(await decodes(1000), [3, 2]);
    assert.deepEqual(await decodes(1000), [1, 2], "the slow one alone");
    assert.deepEqual(await decodes(500), [1, 2], "a lower limit tries nothing");
    assert.deepEqual(await decodes(2000), [2, 1]);
    assert.deepEqual(await decodes(2000), [1, 1]);
  },
);

Deno.test("an image that once could be decoded and no longer can is bad from then on", files, async () => {
  await using setting = await makeSetting(["20", "31"]);
  const { examples, options, opened } = setting;
  await opened();
  {
    using database = cacheDatabase(setting);
    database.exec("DELETE FROM pixels");
  }
  const failing = await opened(examples, {
    newDecoders: () => ({
      ...options.newDecoders(),
      decodeThen(file, use, more) {
        if (file.path === examples[1]?.path) return Promise.reject(new ImageError("it is beyond this decoder"));
        return options.newDecoders().decodeThen(file, use, more);
      },
    }),
  });
  assert.deepEqual([failing.names, failing.broken.length], [["0.jpg"], 1]);
  const again = await opened();
  assert.deepEqual([again.names, again.broken, again.decoded.filling], [["0.jpg"], failing.broken, 0]);
});

Deno.test("an image over the limit is skipped although it is in the cache", files, async () => {
  await using setting = await makeSetting(["20", "30"]);
  const { examples, opened } = setting;
  const { path = "" } = examples[1] ?? {};
  const all = await opened();
  for (const cache of ["auto", "none"] as const) {
    const limited = await opened(examples, { maxPixels: 599, cache });
    assert.deepEqual(limited.broken, [{
      path,
      reason: "the image has 30 x 20 pixels, scale it down to at most 599 pixels, or raise --max-pixels",
    }]);
    assert.deepEqual([limited.names, limited.decoded], [["0.jpg"], { filling: 0, reading: 0 }]);
    assert.notEqual(limited.fingerprint, all.fingerprint);
  }
  assert.deepEqual(await opened(examples, { maxPixels: 600 }), { ...all, decoded: { filling: 0, reading: 0 } });
});

Deno.test("an image over the limit is skipped as it is known, without being decoded for it", files, async () => {
  await using setting = await makeSetting(["20", "30"]);
  const { examples, opened } = setting;
  await opened(examples, { cache: "none" });
  const limited = await opened(examples, { maxPixels: 599 });
  assert.deepEqual([limited.names, limited.decoded], [["0.jpg"], { filling: 1, reading: 0 }]);
  assert.equal(countRows(setting, "images WHERE reason IS NOT NULL"), 0);
});

Deno.test("a file that cannot be read is skipped, and is not put on the list: it may come back", files, async () => {
  await using setting = await makeSetting(["20", "31"]);
  const { examples, opened } = setting;
  const { path = "" } = examples[0] ?? {};
  await Deno.rename(path, `${path}.away`);
  const without = await opened();
  assert.deepEqual(without.broken, [{ path, reason: "there is no such file or folder, check the path" }]);
  await Deno.mkdir(path);
  assert.deepEqual((await opened()).broken, [{ path, reason: "it is a folder, give an image file" }]);
  assert.equal(countRows(setting, "images WHERE reason IS NOT NULL"), 0);
  await Deno.remove(path);
  await Deno.rename(`${path}.away`, path);
  assert.deepEqual((await opened()).names, ["0.jpg", "1.jpg"]);
});

Deno.test("a file that changes while it is decoded is skipped and decoded at the next start", files, async () => {
  await using setting = await makeSetting(["20", "31"]);
  const { examples, options, opened } = setting;
  const { path = "" } = examples[0] ?? {};
  let first = true;
  const changing = await opened(examples, {
    engine: {
      async resizeCrop(image, ...size) {
        if (image.width === 20 && first) {
          first = false;
          await Deno.writeTextFile(path, "026");
        }
        return await options.engine.resizeCrop(image, ...size);
      },
    },
  });
  assert.deepEqual(changing.broken.map(({ reason }) => reason), [
    "it changes while it is read, start again when it is whole",
  ]);
  assert.deepEqual((await opened()).resized, [26, 31].map(resizeToSquare));
});

Deno.test("a file that has just changed is read again: another change could have the same time", files, async () => {
  await using setting = await makeSetting(["20", "31"]);
  const { examples, options, opened } = setting;
  const { path = "" } = examples[0] ?? {};
  const fresh = { disk: { now: Date.now } };
  assert.deepEqual((await opened(examples, fresh)).decoded, { filling: 2, reading: 0 });
  // Of the same size, and mostly within the same tick of the file system's clock.
  await Deno.writeTextFile(path, "26");
  const { decoded, resized } = await opened(examples, fresh);
  assert.deepEqual([decoded, resized], [{ filling: 1, reading: 0 }, [26, 31].map(resizeToSquare)]);
  assert.deepEqual((await opened(examples, fresh)).decoded, { filling: 0, reading: 0 }, "read, not decoded");
  assert.equal(countRows(setting, "files"), 0);

  using cache = await openImageCache(examples, { ...options, ...fresh, side: SIDE + 1, cache: "none" });
  await cache.read(0, 1, new Uint8Array(3));
  await Deno.writeTextFile(path, "27");
  await assert.rejects(cache.read(0, 1, new Uint8Array(3)), InputError);
});

Deno.test("a flipped byte is noticed when it is read, and the image is decoded again", files, async () => {
  await using setting = await makeSetting(["20", "31", "25"]);
  const { examples, opened } = setting;
  await opened();
  {
    using database = cacheDatabase(setting);
    const { content, pixels } = database.prepare("SELECT content, pixels FROM pixels WHERE rowid = 2").get() ?? {};
    assert(typeof content === "string" && pixels instanceof Uint8Array);
    pixels[17] = (pixels[17] ?? 0) ^ 1;
    database.prepare("UPDATE pixels SET pixels = ? WHERE content = ?").run(pixels, content);
  }
  const { resized, decoded, notes } = await opened();
  assert.deepEqual(resized, [20, 31, 25].map(resizeToSquare));
  assert.deepEqual(decoded, { filling: 0, reading: 1 });
  assert.equal(notes.length, 1);
  assert.match(
    notes[0] ?? "",
    /^A cached image is damaged and decoded again, '.+\.jpg' \(its checksum is wrong\); .*cache verify$/,
  );
  assert.equal(setting.counts.open, 0, "the decoders that read end with the cache");

  using cache = await openImageCache(examples, setting.options);
  for (const { path } of examples) await Deno.writeTextFile(path, "040");
  const reads = await Promise.allSettled([0, 1, 2].map((index) => cache.read(index, 1, new Uint8Array(3))));
  const [failed] = reads.filter((read) => read.status === "rejected");
  assert.equal(reads.filter(({ status }) => status === "fulfilled").length, 2);
  assert(failed?.reason instanceof InputError);
  assert.match(
    failed.reason.message,
    /^Cannot decode image '.+': it is not in the cache, and .*changed since the start$/,
  );
});

Deno.test("lost rows of a cache are recreated, and so is a file that is no database", files, async () => {
  await using setting = await makeSetting(["20", "31", "25", "broken"]);
  const expected = await setting.opened();
  const database = cacheFile(setting, "images.sqlite");
  const damages: [what: string, filling: number, damage: () => Promise<void>][] = [
    ["the last resized image", 1, () => execute(setting, "DELETE FROM pixels WHERE rowid = 3")],
    [
      "an image that is too short",
      0,
      () => execute(setting, "UPDATE pixels SET pixels = x'00', checksum = 3523407757"),
    ],
    ["all resized images", 3, () => execute(setting, "DELETE FROM pixels")],
    ["the files", 0, () => execute(setting, "DELETE FROM files")],
    ["the images", 4, () => execute(setting, "DELETE FROM images")],
    ["rubbish", 4, () => Deno.writeTextFile(database, "no database".repeat(10_000))],
    ["an empty file", 4, () => Deno.writeTextFile(database, "")],
    ["the database", 4, () => Deno.remove(database)],
  ];
  for (const [what, filling, damage] of damages) {
    await damage();
    const again = await setting.opened();
    assert.equal(again.decoded.filling, filling, what);
    assert.deepEqual({ ...again, decoded: null, notes: null }, { ...expected, decoded: null, notes: null }, what);
    if (what.includes("short")) continue;
    assert.deepEqual((await setting.opened()).decoded, { filling: 0, reading: 0 }, what);
  }
});

Deno.test("an aborted run keeps what it decoded, and the next continues", files, async () => {
  await using setting = await makeSetting(["20", "21", "22", "23", "24", "25"]);
  const abort = new AbortController();
  await assert.rejects(
    openImageCache(setting.examples, {
      ...setting.options,
      signal: abort.signal,
      onProgress: (done) => done === 2 && abort.abort(),
    }),
    { name: "AbortError" },
  );
  assert.equal(setting.counts.open, 0);
  const { resized, decoded } = await setting.opened();
  assert.deepEqual(resized, [20, 21, 22, 23, 24, 25].map(resizeToSquare));
  assert.equal(decoded.filling, 4);
});

Deno.test("progress begins with the images already cached", files, async () => {
  await using setting = await makeSetting(["20", "21", "22", "23"]);
  await setting.opened(setting.examples.slice(0, 3));
  const progress: number[][] = [];
  await setting.opened(setting.examples, { onProgress: (done, total) => progress.push([done, total]) });
  assert.deepEqual(progress, [[4, 4]]);
});

Deno.test("filling decodes ahead of storing by no more than the number of decoders", files, async () => {
  await using setting = await makeSetting(Array.from({ length: 12 }, (_, index) => `${20 + index}`));
  let [now, most] = [0, 0];
  const { engine } = setting.options;
  await setting.opened(setting.examples, {
    engine: {
      async resizeCrop(...parameters) {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, 2));
        now--;
        return await engine.resizeCrop(...parameters);
      },
    },
  });
  assert.equal(most, 3, "one whose turn it is and two ahead");
});

Deno.test(
  "without a cache the same pixels are decoded at each read, and the index of images is kept",
  files,
  async () => {
    await using setting = await makeSetting(["20", "broken", "31"]);
    const { examples, opened, counts } = setting;
    const first = await opened(examples, { cache: "none" });
    assert.deepEqual(first.decoded, { filling: 3, reading: 2 });
    const again = await opened(examples, { cache: "none" });
    assert.deepEqual(again, { ...first, decoded: { filling: 0, reading: 2 } });
    assert.equal(counts.open, 0);
    assert.equal(countRows(setting, "pixels"), 0);
    const cached = await opened();
    assert.deepEqual(cached, { ...first, decoded: { filling: 2, reading: 0 } });
    assert.deepEqual(
      (await opened(examples, { cache: "none" })).decoded,
      { filling: 0, reading: 0 },
      "what is there is used",
    );
  },
);

Deno.test("without a cache images that are asked for together are decoded together", files, async () => {
  await using setting = await makeSetting(["20", "21", "22"]);
  const { engine } = setting.options;
  let now = 0;
  const gate: { together?: PromiseWithResolvers<void> } = {};
  using cache = await openImageCache(setting.examples, {
    ...setting.options,
    cache: "none",
    engine: {
      async resizeCrop(...parameters) {
        // None goes on before all are here: one after another they would never end.
        if (gate.together !== undefined && ++now === 3) gate.together.resolve();
        await gate.together?.promise;
        return await engine.resizeCrop(...parameters);
      },
    },
  });
  gate.together = Promise.withResolvers();
  assert.deepEqual(await readResized(cache), [20, 21, 22].map(resizeToSquare));
  assert.equal(now, 3);
});

Deno.test(
  "an image that changes during a run without a cache is lost and noted once, one that is only touched is not",
  files,
  async () => {
    await using setting = await makeSetting(["20"]);
    const { path = "" } = setting.examples[0] ?? {};
    const notes: string[] = [];
    const onNote = (line: string) => void notes.push(line);
    using cache = await openImageCache(setting.examples, { ...setting.options, cache: "none", onNote });
    await Deno.utime(path, 1, 1);
    await cache.read(0, 1, new Uint8Array(3));
    await Deno.writeTextFile(path, "031");
    const why = "it is not in the cache, and its file can no longer be used: it has changed since the start";
    const refused = () =>
      assert.rejects(
        cache.read(0, 1, new Uint8Array(3)),
        (error) => error instanceof ImageError && error.message === `Cannot decode image '${path}': ${why}`,
      );
    await Promise.all([refused(), refused()]);
    await Deno.remove(path);
    await refused();
    assert.deepEqual(notes, [`Skipped from now on: '${path}', ${why}`]);
  },
);

Deno.test(
  "openImageCache() rejects a dataset in which nothing can be decoded, with the first reason",
  files,
  async () => {
    await using setting = await makeSetting(["broken", "broken"]);
    const message = /^Cannot read images: none of 2 can be decoded, the first is '.*0\.jpg': the file is text$/;
    for (let start = 0; start < 2; start++) {
      await assert.rejects(
        openImageCache(setting.examples, setting.options),
        (error) => error instanceof InputError && message.test(error.message),
      );
    }
    assert.deepEqual([setting.counts.decoded, setting.counts.open], [1, 0]);
    await assert.rejects(openImageCache([], setting.options), InputError);
  },
);

Deno.test("openImageCache() names a folder it cannot write to", files, async () => {
  await using setting = await makeSetting(["20"]);
  const { path = "" } = setting.examples[0] ?? {};
  await assert.rejects(
    openImageCache(setting.examples, { ...setting.options, folder: path }),
    (error) => error instanceof InputError && error.message.includes(path) && !error.message.includes("\n"),
  );
});

Deno.test(
  "a cache in a folder that is read-only is read, and what it lacks is decoded at each read",
  files,
  async () => {
    await using setting = await makeSetting(["20", "31", "25"]);
    const { examples, opened } = setting;
    await opened(examples.slice(0, 2));
    const folder = cacheFile(setting, ".");
    const closed = ["images.sqlite", "lock", "filling", "."].map((name) => cacheFile(setting, name));
    const rights = async (write: number) => {
      for (const path of closed) await Deno.chmod(path, path === folder ? 0o555 | write : 0o444 | write);
    };
    await rights(0);
    try {
      // The super-user may write all the same.
      const refuses = await Deno.writeTextFile(`${folder}/probe`, "").then(() => false, () => true);
      if (!refuses) return;
      assert.deepEqual((await opened(examples.slice(0, 2))).decoded, { filling: 0, reading: 0 });
      const { decoded, notes, resized } = await opened();
      assert.deepEqual([decoded, resized], [{ filling: 1, reading: 1 }, [20, 31, 25].map(resizeToSquare)]);
      assert.match(notes.join(), /^No cache of decoded images: Cannot write the cache '.+': access is denied/);
    } finally {
      await rights(0o200);
    }
  },
);

/** Changes the database of a cache. */
async function execute(setting: Setting, sql: string): Promise<void> {
  using database = cacheDatabase(setting);
  await Promise.resolve(database.exec(sql));
}

function countRows(setting: Setting, tableWhere: string): unknown {
  using database = cacheDatabase(setting);
  return database.prepare(`SELECT count(*) AS count FROM ${tableWhere}`).get()?.count;
}
