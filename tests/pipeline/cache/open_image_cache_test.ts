import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../../../src/input_error.ts";
import { ImageError } from "../../../src/images/image_error.ts";
import { openImageCache } from "../../../src/pipeline/cache/open_image_cache.ts";
import { drawnImage } from "../../golden/drawn_image.ts";
import {
  cacheFile,
  files,
  makeSetting,
  nearest,
  readResized,
  resizeToSquare,
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
    using lock = await Deno.open(cacheFile(setting, "lock"));
    assert(await lock.tryLock(true));
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
  "bad images are listed in the quarantine, and not tried again while nothing has changed",
  files,
  async () => {
    await using setting = await makeSetting(["20", "broken"]);
    const { examples, opened } = setting;
    const { path = "" } = examples[1] ?? {};
    await opened();
    const lines = (await Deno.readTextFile(cacheFile(setting, "quarantine.jsonl"))).trimEnd().split("\n");
    assert.equal(lines.length, 1);
    const { reason, size, changed, path: listed } = JSON.parse(lines[0] ?? "");
    assert.deepEqual({ reason, size, listed }, { reason: "the file is text", size: 6, listed: path });
    assert.equal(changed, (await Deno.stat(path)).ctime?.getTime());
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
    const text = await Deno.readTextFile(cacheFile(setting, "quarantine.jsonl"));
    assert.equal(text.match(/too long/g)?.length, 2, "said once for each limit");
  },
);

Deno.test("an image that once could be decoded and no longer can is bad from then on", files, async () => {
  await using setting = await makeSetting(["20", "31"]);
  const { examples, options, opened } = setting;
  await opened();
  await Deno.remove(cacheFile(setting, "resized.bin"));
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
  assert.equal(await Deno.readTextFile(cacheFile(setting, "quarantine.jsonl")), "");
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
  assert.equal(await Deno.readTextFile(cacheFile(setting, "quarantine.jsonl")), "");
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
    async resizeCrop(image, shortSide, crop, resize) {
      if (image.width === 20 && first) {
        first = false;
        await Deno.writeTextFile(path, "026");
      }
      return await options.resizeCrop(image, shortSide, crop, resize);
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
  assert.doesNotMatch(await Deno.readTextFile(cacheFile(setting, "index.jsonl")), /"path"/);

  using cache = await openImageCache(examples, { ...options, ...fresh, side: SIDE + 1, cache: "none" });
  await cache.read(0, 1, new Uint8Array(3));
  await Deno.writeTextFile(path, "27");
  await assert.rejects(cache.read(0, 1, new Uint8Array(3)), InputError);
});

Deno.test("a flipped byte is noticed when it is read, and the image is decoded again", files, async () => {
  await using setting = await makeSetting(["20", "31", "25"]);
  const { examples, opened } = setting;
  await opened();
  const path = cacheFile(setting, "resized.bin");
  const bytes = await Deno.readFile(path);
  const at = SIDE * SIDE * 3 + 17;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await Deno.writeFile(path, bytes);
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

Deno.test("lost images or lines of a cache are recreated, and a torn line harms no other", files, async () => {
  await using setting = await makeSetting(["20", "31", "25", "broken"]);
  const expected = await setting.opened();
  const [resized, index, quarantine] = ["resized.bin", "index.jsonl", "quarantine.jsonl"].map((name) =>
    cacheFile(setting, name)
  );
  assert(resized !== undefined && index !== undefined && quarantine !== undefined);
  const text = await Deno.readTextFile(index);
  const damages: [what: string, filling: number, damage: () => Promise<void>][] = [
    ["the last resized image", 1, () => Deno.truncate(resized, 2 * SIDE * SIDE * 3 + 5)],
    ["all resized images", 3, () => Deno.remove(resized)],
    ["a torn line", 0, () => Deno.writeTextFile(index, text.slice(0, -9))],
    ["rubbish", 0, () => Deno.writeTextFile(index, `\0\0{"content":7}\nnull\n[]\n${text}{"con`)],
    ["the index", 3, () => Deno.remove(index)],
    ["the list of bad images", 1, () => Deno.writeTextFile(quarantine, "{}\n{")],
  ];
  for (const [what, filling, damage] of damages) {
    await damage();
    const again = await setting.opened();
    assert.equal(again.decoded.filling, filling, what);
    assert.deepEqual({ ...again, decoded: null }, { ...expected, decoded: null }, what);
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
  const { resizeCrop } = setting.options;
  await setting.opened(setting.examples, {
    resizeCrop: async (...parameters) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 2));
      now--;
      return await resizeCrop(...parameters);
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
    assert.equal((await Deno.stat(cacheFile(setting, "resized.bin"))).size, 0);
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
  const { resizeCrop } = setting.options;
  let now = 0;
  const gate: { together?: PromiseWithResolvers<void> } = {};
  using cache = await openImageCache(setting.examples, {
    ...setting.options,
    cache: "none",
    resizeCrop: async (...parameters) => {
      // None goes on before all are here: one after another they would never end.
      if (gate.together !== undefined && ++now === 3) gate.together.resolve();
      await gate.together?.promise;
      return await resizeCrop(...parameters);
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

Deno.test("openImageCache() removes temporaries of a former day", files, async () => {
  await using setting = await makeSetting(["20"]);
  await Deno.mkdir(setting.folder, { recursive: true });
  const temporary = (name: string) => join(setting.folder, `.${name}.00000000-0000-4000-8000-000000000000.tmp`);
  for (const name of ["old.resized", "young.resized"]) await Deno.writeTextFile(temporary(name), "");
  await Deno.utime(temporary("old.resized"), 1, 1);
  await setting.opened();
  assert.deepEqual([...Deno.readDirSync(setting.folder)].map(({ name }) => name).sort(), [
    ".young.resized.00000000-0000-4000-8000-000000000000.tmp",
    `${SIDE}-v4`,
  ]);
});
