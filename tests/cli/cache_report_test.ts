import assert from "node:assert/strict";
import { join } from "node:path";
import { clearCaches, listCaches, verifyCaches } from "../../src/cli/cache_report.ts";
import { lockCache } from "../../src/pipeline/cache/cache_lock.ts";
import { openImageCache } from "../../src/pipeline/cache/open_image_cache.ts";
import { InputError } from "../../src/input_error.ts";
import { namesIn } from "../support/checkpoint_folder.ts";
import { files, makeSetting, readResized, resizeToSquare, SIDE } from "../support/cache_setting.ts";

const BYTES = SIDE * SIDE * 3;

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
  await write("features/aa.features", "1234lrcnfea1");
  await write("weights/resnet.pth", "weights");
  await write("weights/resnet-9a129038.pth", "weights");
  const capture = async (action: (print: (line: string) => void) => Promise<unknown>) => {
    const lines: string[] = [];
    const result = await action((line) => lines.push(line));
    return { lines: lines.map((line) => line.replaceAll(setting.examples[1]?.path ?? "?", "PATH")), result };
  };
  const resizedFile = join(root, "images", `${SIDE}-v4`, "resized.bin");
  return { ...setting, root, write, capture, resizedFile, [Symbol.asyncDispose]: () => setting[Symbol.asyncDispose]() };
}

Deno.test(
  "cache list names each cache with size and preprocessing, and its unusable images",
  files,
  async () => {
    await using caches = await makeCaches();
    const { lines } = await caches.capture((print) => listCaches(caches.root, print));
    const sizes = lines.map((line) => line.replace(/\d+(\.\d)? (bytes|kB)/, "SIZE"));
    assert.deepEqual(sizes.map((line) => line.replace(/'\.\.\..*1\.jpg'/, "'PATH'")), [
      "images/8-v3  1 file, SIZE, 8 x 8 pixels, of another version and unused: clear it",
      "images/9-v4  3 images, SIZE, 9 x 9 pixels, 1 file cannot be used:",
      "  'PATH': the file is text",
      "features     1 file, SIZE",
      "weights      2 files, SIZE",
      `SIZE in '${caches.root}'`,
    ]);
    assert.deepEqual((await caches.capture((print) => listCaches(join(caches.root, "no"), print))).lines, [
      `No caches in '${join(caches.root, "no")}'`,
    ]);
  },
);

Deno.test("cache list names 20 unusable images and the file that lists the others", files, async () => {
  await using setting = await makeSetting(["20", ...Array.from({ length: 23 }, (_, index) => `broken ${index}`)]);
  setting.options.folder = join(setting.folder, "images");
  await setting.opened();
  const lines: string[] = [];
  await listCaches(setting.folder, (line) => lines.push(line));
  assert.equal(lines.filter((line) => line.includes("the file is text")).length, 20);
  assert.match(lines.at(-2) ?? "", /^ {2}and 3 more in '.+quarantine\.jsonl'$/);
});

Deno.test(
  "cache verify finds flipped bytes and truncated files, and removes only what is damaged",
  files,
  async () => {
    await using caches = await makeCaches();
    const verify = () => caches.capture((print) => verifyCaches(caches.root, { print, progress() {} }));
    assert.deepEqual(await verify(), {
      lines: ["images/9-v4: 3 images intact", "features: 1 file intact", "weights: 1 file intact"],
      result: true,
    });
    const bytes = await Deno.readFile(caches.resizedFile);
    bytes[BYTES + 5] = (bytes[BYTES + 5] ?? 0) ^ 128;
    await Deno.writeFile(caches.resizedFile, bytes.subarray(0, -1));
    await caches.write("features/bb.features", "1234lrcnfea");
    await caches.write("weights/resnet-00000000.pth", "weights");
    const removed = ": removed, and computed again when needed";
    assert.deepEqual(await verify(), {
      lines: [
        `images/9-v4: 1 image intact, 2 damaged${removed}`,
        `features: 1 file intact, 1 damaged${removed}`,
        "weights: 1 file intact, 1 damaged: downloaded again when needed",
      ],
      result: false,
    });
    assert.deepEqual(namesIn(join(caches.root, "features")), ["aa.features"]);
    assert.equal(namesIn(join(caches.root, "weights")).length, 3, "a file there may be the user's own");
    await Deno.remove(join(caches.root, "weights/resnet-00000000.pth"));
    assert.deepEqual(await verify(), {
      lines: ["images/9-v4: 1 image intact", "features: 1 file intact", "weights: 1 file intact"],
      result: true,
    });
    const { decoded, resized } = await caches.opened();
    assert.deepEqual([decoded, resized], [{ filling: 2, reading: 0 }, [20, 31, 25].map(resizeToSquare)]);
    assert.equal((await verify()).lines[0], "images/9-v4: 3 images intact");
  },
);

Deno.test("cache clear removes all but downloaded weights, old temporary files included", files, async () => {
  await using caches = await makeCaches();
  const old = `images/.00ff.resized.3f2a9c00-0000-4000-8000-0123456789ab.tmp`;
  await caches.write(old, "");
  await Deno.utime(join(caches.root, old), 1, 1);
  using open = await openImageCache(caches.examples, caches.options);
  const { lines } = await caches.capture((print) => clearCaches(caches.root, undefined, print));
  assert.deepEqual(lines.map((line) => line.replace(/\d+(\.\d)? (bytes|kB)/, "SIZE")), [
    "Removed images/8-v3: SIZE",
    "Removed images/9-v4: SIZE",
    "Removed features: SIZE",
    "Kept weights, which were downloaded; to remove them: deno task cache clear weights",
  ]);
  assert.deepEqual(namesIn(join(caches.root, "images")), []);
  assert.deepEqual(namesIn(join(caches.root, "features")), []);
  assert.deepEqual(await readResized(open), [20, 31, 25].map(resizeToSquare), "a running reader is not disturbed");
  assert.equal((await caches.opened()).decoded.filling, 4);
});

Deno.test("cache clear NAME removes only that cache", files, async () => {
  await using caches = await makeCaches();
  const clear = (name: string) => caches.capture((print) => clearCaches(caches.root, name, print));
  assert.deepEqual((await clear("weights")).lines, ["Removed weights: 14 bytes"]);
  assert.equal((await clear("images/8-v3")).lines.length, 1);
  assert.deepEqual(namesIn(join(caches.root, "images")), ["9-v4"]);
  await assert.rejects(clear("squares"), (error) =>
    error instanceof InputError &&
    /^Cannot clear 'squares': there is no such cache in '.+'; there are: images\/9-v4, features$/
      .test(error.message));
});

Deno.test("cache verify skips a cache that a run is filling, and verifies the others", files, async () => {
  await using caches = await makeCaches();
  using _lock = await lockCache(join(caches.resizedFile, ".."));
  assert.deepEqual(await caches.capture((print) => verifyCaches(caches.root, { print, progress() {} })), {
    lines: [
      "images/9-v4: not verified: another process is filling it",
      "features: 1 file intact",
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
    ...[1, 2, 3].map((done) => ["Verifying images/9-v4", done, 3]),
    ["Verifying features", 1, 1],
    ["Verifying weights", 1, 1],
  ]);
});

Deno.test("cache clear refuses a cache that a run is filling, and leaves it", files, async () => {
  await using caches = await makeCaches();
  using _lock = await lockCache(join(caches.resizedFile, ".."));
  await assert.rejects(
    caches.capture((print) => clearCaches(caches.root, "images/9-v4", print)),
    (error) => error instanceof InputError && /'images\/9-v4': another process fills it now/.test(error.message),
  );
  assert.equal((await Deno.stat(caches.resizedFile)).size, 3 * BYTES);
});
