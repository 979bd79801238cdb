import assert from "node:assert/strict";
import { encodePng } from "../../src/images/encode_png.ts";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Engine } from "../../src/ffi/engine.ts";
import { InputError } from "../../src/input_error.ts";
import { decodeImage } from "../../src/images/decode_image.ts";
import { readSource } from "../../src/pipeline/file_source.ts";
import { makeRecipe } from "../../src/pipeline/recipe.ts";
import { NEEDS_FILES } from "../support/checkpoint_folder.ts";
import { TINY_MODEL } from "../support/native.ts";
import { nativeTest } from "../support/native_test_case.ts";
import { tarFile } from "../support/tar_file.ts";
import { drawnImage } from "../golden/drawn_image.ts";
import kinds from "../golden/image_kinds.json" with { type: "json" };
import { silentReporter } from "../support/silent_reporter.ts";
import { makeFolder } from "../support/temporary_folder.ts";

const NAMES = Array.from({ length: 6 }, (_, index) => `${index}.png`);

/** A dataset of six pictures, one of them broken, and the name of a seventh that is not there. */
async function makeDataset() {
  const png = (width: number, height: number) => {
    const { pixels } = drawnImage(width, height);
    return encodePng({ width, height, pixels });
  };
  const images = NAMES.map((name, index) => [`Images/${name}`, png(40 + index, 50 - 2 * index)] as const);
  return await makeFolder({
    ...Object.fromEntries(images),
    "Images/3.png": "no picture",
    "captions.txt": `image,caption\n${[...NAMES, "gone.png"].map((name) => `${name},A kite .\n`).join("")}`,
  });
}

Deno.test({
  name: "readSource() takes as many images as it is told, drawn by the seed",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await makeDataset();
    const options = { data: folder.path, cacheFolder: join(folder.path, "cache"), seed: 1 };
    const names = async (change: { maxImages?: number; seed?: number }) =>
      (await readSource({ ...options, ...change })).dataset.examples.map(({ name }) => name);
    assert.deepEqual(await names({}), NAMES);
    assert.equal((await names({ maxImages: 3 })).length, 3);
    assert.deepEqual(await names({ maxImages: 3 }), await names({ maxImages: 3 }));
    const drawn = await Promise.all([1, 2, 3, 4].map((seed) => names({ maxImages: 3, seed })));
    assert(new Set(drawn.map((list) => list.join())).size > 1);
    await assert.rejects(readSource({ ...options, maxImages: 0 }), InputError);
  },
});

nativeTest("readSource() opens images as the CNN wants them, and again from the cache", async () => {
  await using folder = await makeDataset();
  const source = await readSource({ data: folder.path, cacheFolder: join(folder.path, "cache"), seed: 0 });
  assert.deepEqual(source.dataset.missing, ["gone.png"]);
  using engine = await Engine.open(TINY_MODEL, { device: "cpu", precision: "fp32", threads: 1 });
  const recipe = makeRecipe("lrcn", { imageSize: 32 });
  const { signal } = new AbortController();
  const reporter = silentReporter();
  const read = async () => {
    using images = await source.openImages({ engine, recipe, reporter, signal });
    assert.deepEqual(images.examples.map(({ name }) => name), NAMES.filter((name) => name !== "3.png"));
    assert.deepEqual(images.broken.map(({ path }) => path), [join(folder.path, "Images", "3.png")]);
    const pixels = new Uint8Array(32 * 32 * 3);
    await images.read(4, 32, pixels);
    return pixels;
  };
  const pixels = await read();
  assert(reporter.tasks.delete("Decoding images"));
  // As when captioning: the short side becomes 37 pixels, a square of them is kept, its center is cut out.
  const square = { width: 37, height: 37, pixels: await engine.resizeCrop(drawnImage(45, 40), 37, 37) };
  assert.deepEqual(pixels, await engine.resizeCrop(square, 37, 32));
  // Stretched, the whole image is the network's input.
  using whole = await source.openImages({ engine, recipe: { ...recipe, resize: "stretch" }, reporter, signal });
  const stretched = new Uint8Array(32 * 32 * 3);
  await whole.read(4, 32, stretched);
  assert.deepEqual(stretched, await engine.resizeCrop(drawnImage(45, 40), 32, 32, "stretch"));
  const stored = () =>
    [...Deno.readDirSync(join(folder.path, "cache"))].map(({ name }) => {
      using database = new DatabaseSync(join(folder.path, "cache", name, "images.sqlite"));
      // A row that is written again has a new number.
      return [name, database.prepare("SELECT rowid, content FROM pixels ORDER BY content").all()];
    });
  const before = stored();
  assert.deepEqual(await read(), pixels);
  assert.deepEqual(stored(), before, "the pictures were decoded again");
}, NEEDS_FILES);

nativeTest("readSource() opens images in tar shards to the same pixels as in files of their own", async () => {
  const { pixels: data } = drawnImage(40, 50);
  const png = encodePng({ width: 40, height: 50, pixels: data });
  const entries = [{ name: "b.txt", content: "A kite ." }, { name: "b.png", content: png }, {
    name: "a.txt",
    content: "x",
  }];
  await using folder = await makeFolder({
    "files/b.png": png,
    "files/b.txt": "A kite .",
    "shards/0.tar": tarFile(entries),
  });
  using engine = await Engine.open(TINY_MODEL, { device: "cpu", precision: "fp32", threads: 1 });
  const read = async (name: string, cacheFolder: string) => {
    const source = await readSource({
      data: join(folder.path, name),
      cacheFolder: join(folder.path, cacheFolder),
      seed: 0,
    });
    using images = await source.openImages({
      engine,
      recipe: makeRecipe("lrcn", { imageSize: 32 }),
      reporter: silentReporter(),
      signal: new AbortController().signal,
    });
    const pixels = new Uint8Array(32 * 32 * 3);
    await images.read(0, 32, pixels);
    return [pixels.toHex(), images.examples[0]?.captions];
  };
  assert.deepEqual(await read("shards", "x"), await read("files", "y"));
}, NEEDS_FILES);

nativeTest("readSource() stops decoding when it is interrupted, and resumes with what it has", async () => {
  await using folder = await makeDataset();
  const cacheFolder = join(folder.path, "cache");
  const source = await readSource({ data: folder.path, cacheFolder, seed: 0 });
  using engine = await Engine.open(TINY_MODEL, { device: "cpu", precision: "fp32", threads: 1 });
  const controller = new AbortController();
  const reporter = { ...silentReporter(), progress: () => controller.abort() };
  const recipe = makeRecipe("lrcn", { imageSize: 32 });
  await assert.rejects(source.openImages({ engine, recipe, reporter, signal: controller.signal }), {
    name: "AbortError",
  });
  const again = silentReporter();
  using images = await source.openImages({ engine, recipe, reporter: again, signal: new AbortController().signal });
  assert.equal(images.examples.length, NAMES.length - 1);
}, NEEDS_FILES);

nativeTest("readSource() turns images as their cameras say, and in the notebook recipe leaves them", async () => {
  const jpeg = Uint8Array.fromBase64(kinds.images["turned-6.jpg"].file);
  await using folder = await makeFolder({ "data/a.jpg": jpeg, "data/a.txt": "A kite ." });
  const source = await readSource({
    data: join(folder.path, "data"),
    cacheFolder: join(folder.path, "cache"),
    seed: 0,
  });
  using engine = await Engine.open(TINY_MODEL, { device: "cpu", precision: "fp32", threads: 1 });
  for (const [name, applyExif] of [["lrcn", true], ["notebook", false]] as const) {
    using images = await source.openImages({
      engine,
      recipe: makeRecipe(name, { imageSize: 32 }),
      reporter: silentReporter(),
      signal: new AbortController().signal,
    });
    const { side } = images;
    const pixels = new Uint8Array(side * side * 3);
    await images.read(0, side, pixels);
    const expected = await engine.resizeCrop(await decodeImage(jpeg, { applyExif }), side, side);
    assert.deepEqual(pixels.toHex(), expected.toHex(), name);
  }
}, NEEDS_FILES);

nativeTest("readSource() leaves out images of more pixels than it is told, and says so to who goes on", async () => {
  await using folder = await makeDataset();
  using engine = await Engine.open(TINY_MODEL, { device: "cpu", precision: "fp32", threads: 1 });
  const names = async (maxPixels?: number) => {
    const options = { data: folder.path, cacheFolder: join(folder.path, "cache"), seed: 0 };
    const source = await readSource({ ...options, maxPixels });
    assert.equal(source.origin?.maxPixels, maxPixels);
    const { signal } = new AbortController();
    const recipe = makeRecipe("lrcn", { imageSize: 32 });
    using images = await source.openImages({ engine, recipe, reporter: silentReporter(), signal });
    return images.examples.map(({ name }) => name);
  };
  // 40 x 50, 41 x 48, 42 x 46, 44 x 42 and 45 x 40 pixels.
  assert.equal((await names()).length, 5);
  assert.deepEqual(await names(42 * 46), ["2.png", "4.png", "5.png"]);
}, NEEDS_FILES);

nativeTest("readSource() keeps no pixels for an encoder that stays frozen: its features are enough", async () => {
  await using folder = await makeDataset();
  const cacheFolder = join(folder.path, "cache");
  const source = await readSource({ data: folder.path, cacheFolder, seed: 0 });
  using engine = await Engine.open(TINY_MODEL, { device: "cpu", precision: "fp32", threads: 1 });
  const storedImages = async (frozenEpochs: number) => {
    const recipe = makeRecipe("lrcn", { imageSize: 32, epochs: 2, frozenEpochs });
    const { signal } = new AbortController();
    using images = await source.openImages({ engine, recipe, reporter: silentReporter(), signal });
    await images.read(0, 32, new Uint8Array(32 * 32 * 3));
    const [cache] = [...Deno.readDirSync(cacheFolder)];
    using database = new DatabaseSync(join(cacheFolder, cache?.name ?? "", "images.sqlite"));
    return database.prepare("SELECT count(*) AS count FROM pixels").get()?.count;
  };
  assert.equal(await storedImages(2), 0);
  assert.equal(await storedImages(1), NAMES.length - 1);
}, NEEDS_FILES);
