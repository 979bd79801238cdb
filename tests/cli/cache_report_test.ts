import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { clearCaches, listCaches, verifyCaches } from "../../src/cli/cache_report.ts";
import { lockFilling } from "../../src/pipeline/cache/cache_lock.ts";
import { openImageCache } from "../../src/pipeline/cache/open_image_cache.ts";
import { InputError } from "../../src/input_error.ts";
import { namesIn } from "../support/checkpoint_folder.ts";
import { files, makeSetting, readResized, resizeToSquare, SIDE } from "../support/cache_setting.ts";

/** A folder with caches of every kind, and a function that captures the lines printed about it. */
async function makeCaches() {
  const setting = await makeSetting(["20", "broken", "31", "25"]);
  const root = join(setting.folder, "..");
  setting.options.folder = join(root, "images");
  await setting.opened();
  const write = async (path: string, text: string) => {
    await Deno.mkdir(join(root, path, ".."), { recursive: true });
    await Deno.writeTextFile(join(root, path), text);
  };
  await write("images/8-v3/index.jsonl", "former");
  await write("features/aa.sqlite", "");
  await write("weights/resnet.pth", "weights");
  await write("weights/resnet-9a129038.pth", "weights");
  const capture = async (action: (print: (line: string) => void) => Promise<unknown>) => {
    const lines: string[] = [];
    const result = await action((line) => lines.push(line));
    return { lines: lines.map((line) => line.replaceAll(setting.examples[1]?.path ?? "?", "PATH")), result };
  };
  const folder = join(root, "images", `${SIDE}-v5`);
  return {
    ...setting,
    root,
    write,
    capture,
    cacheFolder: folder,
    [Symbol.asyncDispose]: () => setting[Symbol.asyncDispose](),
  };
}

Deno.test(
  "cache list names each cache with size and preprocessing, and its unusable images",
  files,
  async () => {
    await using caches = await makeCaches();
    const { lines } = await caches.capture((print) => listCaches(caches.root, undefined, print));
    const sizes = lines.map((line) => line.replace(/\d+(\.\d)? (bytes|kB)/, "SIZE"));
    assert.deepEqual(sizes.map((line) => line.replace(/'\.\.\..*1\.jpg'/, "'PATH'")), [
      "images/8-v3  1 file, SIZE, 8 x 8 pixels, of another version and unused: clear it",
      "images/9-v5  3 images, SIZE, 9 x 9 pixels, 1 file cannot be used:",
      "  'PATH': the file is text",
      "features     1 file, SIZE",
      "weights      2 files, SIZE",
      `SIZE in '${caches.root}'`,
    ]);
    assert.deepEqual((await caches.capture((print) => listCaches(join(caches.root, "no"), undefined, print))).lines, [
      `No caches in '${join(caches.root, "no")}'`,
    ]);
  },
);

Deno.test("cache list names 20 unusable images, and all of one cache that is named", files, async () => {
  await using setting = await makeSetting(["20", ...Array.from({ length: 23 }, (_, index) => `broken ${index}`)]);
  setting.options.folder = join(setting.folder, "images");
  await setting.opened();
  const lines: string[] = [];
  await listCaches(setting.folder, undefined, (line) => lines.push(line));
  assert.equal(lines.filter((line) => line.includes("the file is text")).length, 20);
  assert.equal(lines.at(-2), "  and 3 more; to list all: deno task cache list images/9-v5");
  const all: string[] = [];
  await listCaches(setting.folder, "images/9-v5", (line) => all.push(line));
  assert.equal(all.filter((line) => line.includes("the file is text")).length, 23);
});

Deno.test(
  "cache verify finds flipped bytes, and removes only what is damaged",
  files,
  async () => {
    await using caches = await makeCaches();
    const verify = () => caches.capture((print) => verifyCaches(caches.root, { print, progress() {} }));
    assert.deepEqual(await verify(), {
      lines: ["images/9-v5: 3 images intact", "weights: 1 file intact"],
      result: true,
    });
    {
      using database = new DatabaseSync(join(caches.cacheFolder, "images.sqlite"));
      database.exec("UPDATE pixels SET pixels = zeroblob(length(pixels)) WHERE rowid = 2");
      database.exec("UPDATE pixels SET pixels = substr(pixels, 2) WHERE rowid = 3");
    }
    await caches.write("weights/resnet-00000000.pth", "weights");
    const removed = ": removed, and computed again when needed";
    assert.deepEqual(await verify(), {
      lines: [
        `images/9-v5: 1 image intact, 2 damaged${removed}`,
        "weights: 1 file intact, 1 damaged: downloaded again when needed",
      ],
      result: false,
    });
    assert.equal(namesIn(join(caches.root, "weights")).length, 3, "a file there may be the user's own");
    await Deno.remove(join(caches.root, "weights/resnet-00000000.pth"));
    assert.deepEqual(await verify(), {
      lines: ["images/9-v5: 1 image intact", "weights: 1 file intact"],
      result: true,
    });
    const { decoded, resized } = await caches.opened();
    assert.deepEqual([decoded, resized], [{ filling: 2, reading: 0 }, [20, 31, 25].map(resizeToSquare)]);
    assert.equal((await verify()).lines[0], "images/9-v5: 3 images intact");
  },
);

Deno.test("cache clear removes all but downloaded weights", files, async () => {
  await using caches = await makeCaches();
  const { lines } = await caches.capture((print) => clearCaches(caches.root, undefined, print));
  assert.deepEqual(lines.map((line) => line.replace(/\d+(\.\d)? (bytes|kB)/, "SIZE")), [
    "Removed images/8-v3: SIZE",
    "Removed images/9-v5: SIZE",
    "Removed features: SIZE",
    "Kept weights, which were downloaded; to remove them: deno task cache clear weights",
  ]);
  assert.deepEqual(namesIn(join(caches.root, "images")), []);
  assert.equal(await Deno.stat(join(caches.root, "features")).then(() => true, () => false), false);
  assert.equal((await caches.opened()).decoded.filling, 4);
});

Deno.test("cache clear NAME removes only that cache", files, async () => {
  await using caches = await makeCaches();
  const clear = (name: string) => caches.capture((print) => clearCaches(caches.root, name, print));
  assert.deepEqual((await clear("weights")).lines, ["Removed weights: 14 bytes"]);
  assert.equal((await clear("images/8-v3")).lines.length, 1);
  assert.deepEqual(namesIn(join(caches.root, "images")), ["9-v5"]);
  await assert.rejects(clear("squares"), (error) =>
    error instanceof InputError &&
    /^Cannot clear 'squares': there is no such cache in '.+'; there are: images\/9-v5, features$/
      .test(error.message));
});

Deno.test("cache verify skips a cache that a run is filling, and verifies the others", files, async () => {
  await using caches = await makeCaches();
  using _lock = await lockFilling(caches.cacheFolder);
  assert.deepEqual(await caches.capture((print) => verifyCaches(caches.root, { print, progress() {} })), {
    lines: [
      "images/9-v5: not verified: another process is filling it",
      "weights: 1 file intact",
    ],
    result: true,
  });
});

Deno.test("cache verify reports its progress", files, async () => {
  await using caches = await makeCaches();
  const steps: unknown[] = [];
  await verifyCaches(caches.root, { print() {}, progress: (...step) => steps.push(step) });
  assert.deepEqual(steps, [
    ...[1, 2, 3].map((done) => ["Verifying images/9-v5", done, 3]),
    ["Verifying weights", 1, 1],
  ]);
});

Deno.test("cache clear refuses a cache that a run has open, and leaves it", files, async () => {
  await using caches = await makeCaches();
  using open = await openImageCache(caches.examples, caches.options);
  await assert.rejects(
    caches.capture((print) => clearCaches(caches.root, "images/9-v5", print)),
    (error) => error instanceof InputError && /'images\/9-v5': another process uses it now/.test(error.message),
  );
  assert.deepEqual(await readResized(open), [20, 31, 25].map(resizeToSquare));
});

Deno.test("cache verify removes a damaged database, and cache list leaves it", files, async () => {
  await using caches = await makeCaches();
  const path = join(caches.cacheFolder, "images.sqlite");
  const bytes = await Deno.readFile(path);
  await Deno.writeFile(path, bytes.fill(0xa5, 0, 100));
  const list = () => caches.capture((print) => listCaches(caches.root, undefined, print));
  await assert.rejects(list(), (error) => error instanceof InputError && error.message.includes(path));
  assert.deepEqual(await Deno.readFile(path), bytes);
  const { lines, result } = await caches.capture((print) => verifyCaches(caches.root, { print, progress() {} }));
  assert.equal(result, false);
  assert.equal(lines[0], "images/9-v5: 0 images intact, 1 damaged: removed, and computed again when needed");
  assert.equal((await caches.opened()).decoded.filling, 4);
});
