import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../../src/input_error.ts";
import type { Photograph } from "../../src/pipeline/dataset.ts";
import type { RgbImage } from "../../src/pipeline/decode_image.ts";
import { ImageError } from "../../src/pipeline/image_error.ts";
import { type ImageCacheOptions, openImageCache } from "../../src/pipeline/image_cache.ts";
import { drawnImage } from "../golden/drawn_image.ts";
import { canRead, canWrite } from "../test_data.ts";
import { makeFolder, type TemporaryFolder } from "./temporary_folder.ts";

const files = { ignore: !canRead || !canWrite };
const SQUARE = 9;

interface Setting extends AsyncDisposable {
  readonly photographs: Photograph[];
  readonly folder: string;
  readonly options: ImageCacheOptions;
  /** What was asked of the decoders and of the resizer. */
  readonly counts: { decoded: number; resized: number };
}

/** Files whose content is a number: the width of the picture that the decoders make of it, or "broken". */
async function makeSetting(contents: readonly string[]): Promise<Setting> {
  const names = contents.map((_, index) => `${index}.jpg`);
  const temporary: TemporaryFolder = await makeFolder(
    Object.fromEntries(names.map((name, index) => [name, contents[index] ?? ""])),
  );
  const counts = { decoded: 0, resized: 0 };
  const decoders = {
    count: 2,
    decode: async (path: string): Promise<RgbImage> => {
      counts.decoded++;
      const width = Number(await Deno.readTextFile(path));
      if (Number.isNaN(width)) throw new ImageError("the file is text", path);
      return drawnImage(width, 20);
    },
  };
  const folder = join(temporary.path, "deep", "cache");
  return {
    photographs: names.map((name) => ({ name, path: join(temporary.path, name), captions: ["a picture"] })),
    folder,
    options: {
      folder,
      square: SQUARE,
      decoders,
      resizeCrop: (image, _shortSide, crop) => {
        counts.resized++;
        return Promise.resolve(nearest(image, crop));
      },
    },
    counts,
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  };
}

function nearest({ width, height, pixels }: RgbImage, side: number): Uint8Array {
  const cropped = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = (Math.floor(y * height / side) * width + Math.floor(x * width / side)) * 3;
      cropped.set(pixels.subarray(from, from + 3), (y * side + x) * 3);
    }
  }
  return cropped;
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}

Deno.test("openImageCache() keeps each photograph's square and leaves out the broken ones", files, async () => {
  await using setting = await makeSetting(["20", "broken", "31", "25"]);
  const progress: number[] = [];
  using cache = await openImageCache(setting.photographs, {
    ...setting.options,
    onProgress: (done, total) => progress.push(done / total),
  });
  assert.deepEqual(cache.photographs.map(({ name }) => name), ["0.jpg", "2.jpg", "3.jpg"]);
  assert.deepEqual(cache.broken, [{ path: setting.photographs[1]?.path, reason: "the file is text" }]);
  assert.deepEqual(progress, [0.25, 0.5, 0.75, 1]);
  // Reads are asked for all at once: their pieces must not be mixed up.
  const squares = await Promise.all([0, 1, 2].map(async (index) => {
    const pixels = new Uint8Array(SQUARE * SQUARE * 3);
    await cache.read(index, SQUARE, pixels);
    return pixels;
  }));
  assert.deepEqual(squares, [20, 31, 25].map((width) => nearest(drawnImage(width, 20), SQUARE)));
});

Deno.test(
  "ImageCache.read() cuts the centre as torchvision's CenterCrop does, a half rounded to even",
  files,
  async () => {
    await using setting = await makeSetting(["20"]);
    using cache = await openImageCache(setting.photographs, setting.options);
    const whole = nearest(drawnImage(20, 20), SQUARE);
    // round((9 - crop) / 2.0) in Python
    for (const [crop, offset] of [[9, 0], [8, 0], [7, 1], [6, 2], [5, 2], [4, 2], [3, 3], [2, 4], [1, 4]] as const) {
      const pixels = new Uint8Array(crop * crop * 3);
      await cache.read(0, crop, pixels);
      const row = (offset * SQUARE + offset) * 3;
      assert.deepEqual(pixels.subarray(0, crop * 3), whole.subarray(row, row + crop * 3), `crop ${crop}`);
      const last = ((offset + crop - 1) * SQUARE + offset) * 3;
      assert.deepEqual(pixels.subarray(-crop * 3), whole.subarray(last, last + crop * 3), `crop ${crop}`);
    }
  },
);

Deno.test("ImageCache.read() cuts any part, mirrored where asked", files, async () => {
  await using setting = await makeSetting(["20"]);
  using cache = await openImageCache(setting.photographs, setting.options);
  const whole = nearest(drawnImage(20, 20), SQUARE);
  for (const [side, top, left] of [[9, 0, 0], [6, 3, 0], [5, 1, 4], [1, 8, 8]] as const) {
    for (const flip of [false, true]) {
      const pixels = new Uint8Array(side * side * 3);
      await cache.read(0, side, pixels, { top, left, flip });
      for (let y = 0; y < side; y++) {
        for (let x = 0; x < side; x++) {
          const from = ((top + y) * SQUARE + left + (flip ? side - 1 - x : x)) * 3;
          const to = (y * side + x) * 3;
          assert.deepEqual(pixels.subarray(to, to + 3), whole.subarray(from, from + 3), `${side} at ${top}, ${left}`);
        }
      }
    }
  }
});

Deno.test("ImageCache.read() refuses what it does not have", files, async () => {
  await using setting = await makeSetting(["20"]);
  using cache = await openImageCache(setting.photographs, setting.options);
  await assert.rejects(cache.read(1, 1, new Uint8Array(3)), RangeError);
  await assert.rejects(cache.read(0, 10, new Uint8Array(300)), RangeError);
  await assert.rejects(cache.read(0, 2, new Uint8Array(3)), RangeError);
  for (const [top, left] of [[8, 0], [0, 8], [-1, 0], [0, 0.5]] as const) {
    await assert.rejects(cache.read(0, 2, new Uint8Array(12), { top, left, flip: false }), RangeError);
  }
});

Deno.test("openImageCache() takes the cache that is there, with what it knows of broken images", files, async () => {
  await using setting = await makeSetting(["20", "broken", "31"]);
  const open = async () => {
    using cache = await openImageCache(setting.photographs, setting.options);
    return { photographs: cache.photographs, broken: cache.broken };
  };
  const made = await open();
  assert.deepEqual(setting.counts, { decoded: 3, resized: 2 });
  assert.deepEqual(await open(), made);
  assert.deepEqual(setting.counts, { decoded: 3, resized: 2 });
  assert.equal(namesIn(setting.folder).length, 1);
});

Deno.test("openImageCache() notices files that changed, another square and another list", files, async () => {
  await using setting = await makeSetting(["20", "31"]);
  const { photographs, options, counts } = setting;
  const decodes = async (list: readonly Photograph[], more: Partial<ImageCacheOptions> = {}) => {
    const before = counts.decoded;
    using _ = await openImageCache(list, { ...options, ...more });
    return counts.decoded - before;
  };
  const first = photographs[0]?.path ?? "";
  assert.equal(await decodes(photographs), 2);
  assert.equal(await decodes(photographs, { square: SQUARE + 1 }), 2);
  assert.equal(await decodes(photographs), 0, "one square's cache does not replace another's");
  assert.equal(await decodes(photographs.slice(1)), 1);
  await Deno.utime(first, 1, 1);
  assert.equal(await decodes(photographs), 2);
  await Deno.writeTextFile(first, "200");
  await Deno.utime(first, 1, 1);
  assert.equal(await decodes(photographs), 2);
  await Deno.remove(first);
  await assert.rejects(decodes(photographs), Deno.errors.NotFound);
  assert.equal(await decodes(photographs.slice(1)), 0);
});

Deno.test("openImageCache() makes a cache anew that is cut or is no cache", files, async () => {
  await using setting = await makeSetting(["20", "31"]);
  const { photographs, options, counts, folder } = setting;
  (await openImageCache(photographs, options))[Symbol.dispose]();
  const path = join(folder, namesIn(folder)[0] ?? "");
  const whole = await Deno.readFile(path);
  const longText = whole.slice();
  new DataView(longText.buffer).setUint32(whole.length - 12, 0xffffffff, true);
  for (const damaged of [whole.slice(0, -1), whole.slice(1), new Uint8Array(5), new Uint8Array(), longText]) {
    await Deno.writeFile(path, damaged);
    counts.decoded = 0;
    (await openImageCache(photographs, options))[Symbol.dispose]();
    assert.equal(counts.decoded, 2);
    assert.deepEqual(await Deno.readFile(path), whole);
  }
});

Deno.test("openImageCache() leaves nothing behind when no image can be decoded", files, async () => {
  await using setting = await makeSetting(["broken", "broken"]);
  await assert.rejects(
    openImageCache(setting.photographs, setting.options),
    (error) =>
      error instanceof InputError &&
      /^Cannot read images: none of 2 can be decoded, the first is '.*0\.jpg': the file is text$/.test(error.message),
  );
  assert.deepEqual(namesIn(setting.folder), []);
  await assert.rejects(openImageCache([], setting.options), InputError);
});

Deno.test("openImageCache() leaves nothing behind when it is aborted", files, async () => {
  await using setting = await makeSetting(["20", "21", "22", "23", "24", "25"]);
  const abort = new AbortController();
  await assert.rejects(
    openImageCache(setting.photographs, {
      ...setting.options,
      signal: abort.signal,
      onProgress: (done) => done === 2 && abort.abort(),
    }),
    { name: "AbortError" },
  );
  assert.equal(setting.counts.resized, 2);
  assert.deepEqual(namesIn(setting.folder), []);
});

Deno.test("openImageCache() decodes ahead of resizing by no more than the number of decoders", files, async () => {
  await using setting = await makeSetting(Array.from({ length: 12 }, () => "20"));
  let furthest = 0;
  const { resizeCrop } = setting.options;
  using _ = await openImageCache(setting.photographs, {
    ...setting.options,
    resizeCrop: async (...parameters) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      furthest = Math.max(furthest, setting.counts.decoded - setting.counts.resized);
      return await resizeCrop(...parameters);
    },
  });
  assert.equal(furthest, 3, "one is resized and two are decoded meanwhile");
});

Deno.test("openImageCache() says how much room it needs on a full disk, and where it cannot write", files, async () => {
  await using setting = await makeSetting(["20", "31"]);
  const full = () => Promise.reject(Object.assign(new Error("no space left"), { code: "ENOSPC" }));
  await assert.rejects(
    openImageCache(setting.photographs, {
      ...setting.options,
      fileSystem: {
        openFolder: (path) => Deno.open(path),
        create: () => Promise.resolve({ write: full, sync: () => Promise.resolve(), close: () => {} }),
        rename: Deno.rename,
        remove: () => Promise.resolve(),
      },
    }),
    (error) => error instanceof InputError && /the disk is full, free 486 bytes/.test(error.message),
  );
  await assert.rejects(
    openImageCache(setting.photographs, { ...setting.options, folder: setting.photographs[0]?.path ?? "" }),
    (error) => error instanceof InputError && /^Cannot create the folder '/.test(error.message),
  );
});
