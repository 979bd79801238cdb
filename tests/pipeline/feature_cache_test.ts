import assert from "node:assert/strict";
import type { Images } from "../../src/ffi/batch.ts";
import type { TensorInfo } from "../../src/ffi/engine.ts";
import { type Encoder, type FeatureCacheOptions, openFeatureCache } from "../../src/pipeline/feature_cache.ts";
import { NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";
import { drawnImages, renderedExamples } from "../support/drawn_data.ts";

const SIZE = 3;
const IMAGES = drawnImages(renderedExamples(18));

/** A CNN that sees the first pixel, times its weight; it counts the images that it is shown. */
function encoderOf(weight = 2, other: Partial<Encoder> = {}): Encoder & { readonly shown: number[] } {
  const shown: number[] = [];
  const tensor = (name: string): TensorInfo => ({ name, kind: "parameter", dtype: "U8", shape: [1] });
  return {
    ...{ precision: "fp32", device: "cpu", threads: 1 },
    tensors: () => Promise.resolve(["resnet.conv1.weight", "resnet.fc.weight", "linear.bias"].map(tensor)),
    read: ({ name }) => Promise.resolve(Uint8Array.of(name === "resnet.conv1.weight" ? weight : 0)),
    encode({ count, pixels }: Images) {
      shown.push(count);
      const bytes = pixels.length / count;
      const values = Array.from(
        { length: count * SIZE },
        (_, index) => (pixels[Math.floor(index / SIZE) * bytes + index % SIZE] ?? NaN) * weight + 1 / 3,
      );
      return Promise.resolve({ count, values: Float32Array.from(values) });
    },
    ...other,
    shown,
  };
}

function cacheTest(name: string, fn: (options: FeatureCacheOptions) => Promise<void>): void {
  Deno.test({
    name,
    ...NEEDS_FILES,
    async fn() {
      await using folder = await temporaryFolder();
      await fn({ folder: folder.file("features"), imageSize: 4 });
    },
  });
}

cacheTest("openFeatureCache() gives each image's features bit for bit, in any order", async (options) => {
  const encoder = encoderOf();
  using cache = await openFeatureCache(encoder, IMAGES, options);
  assert.equal(cache.size, SIZE);
  for (const index of [4, 0, 2]) {
    const pixels = new Uint8Array(4 * 4 * 3);
    await IMAGES.read(index, 4, pixels);
    const expected = await encoder.encode({ count: 1, height: 4, width: 4, pixels });
    const values = new Float32Array(SIZE);
    cache.read(index, values);
    assert.deepEqual(values, expected.values);
  }
});

cacheTest("openFeatureCache() also gives the features of each image flipped", async (options) => {
  const encoder = encoderOf();
  using plain = await openFeatureCache(encoder, IMAGES, options);
  using cache = await openFeatureCache(encoder, IMAGES, { ...options, flips: true });
  assert.deepEqual([cache.size, encoder.shown], [SIZE, [16, 2, 32, 4]]);
  for (const index of [17, 0, 16]) {
    const [expected, values] = [new Float32Array(SIZE), new Float32Array(SIZE)];
    plain.read(index, expected);
    cache.read(index, values);
    assert.deepEqual(values, expected);
    const pixels = new Uint8Array(4 * 4 * 3);
    await IMAGES.read(index, 4, pixels);
    cache.read(index, values, true);
    // The encoder sees the first pixel: the last of the first row.
    assert.deepEqual(values, Float32Array.from(pixels.subarray(9, 12), (color) => color * 2 + 1 / 3));
  }
  assert.throws(() => plain.read(0, new Float32Array(SIZE), true), /the cache has none/);
});

cacheTest("openFeatureCache() runs the CNN once for each image, and not at all a second time", async (options) => {
  const encoder = encoderOf();
  const progress: number[] = [];
  const onProgress = (done: number) => progress.push(done);
  (await openFeatureCache(encoder, IMAGES, { ...options, onProgress }))[Symbol.dispose]();
  assert.deepEqual([encoder.shown, progress], [[16, 2], [16, 18]]);
  const again = encoderOf();
  (await openFeatureCache(again, IMAGES, { ...options, onProgress }))[Symbol.dispose]();
  assert.deepEqual([again.shown, progress], [[], [16, 18]]);
});

cacheTest("openFeatureCache() computes anew for other weights, images, sizes and arithmetic", async (options) => {
  const open = async (encoder: ReturnType<typeof encoderOf>, images = IMAGES, change = {}) => {
    (await openFeatureCache(encoder, images, { ...options, ...change }))[Symbol.dispose]();
    return encoder.shown.length > 0;
  };
  assert(await open(encoderOf()));
  assert(await open(encoderOf(3)));
  assert(await open(encoderOf(), { ...IMAGES, fingerprint: "others" }));
  assert(await open(encoderOf(), IMAGES, { imageSize: 5 }));
  assert(await open(encoderOf(), IMAGES, { flips: true }));
  assert(await open(encoderOf(2, { precision: "bf16" })));
  assert(await open(encoderOf(2, { device: "cuda" })));
  assert(await open(encoderOf(2, { threads: 2 })));
  assert(!await open(encoderOf()));
});

cacheTest("openFeatureCache() computes only what is new, and keeps what it had when it is ended", async (options) => {
  const contents = IMAGES.examples.map((_, index) => `content ${index}`);
  const images = { ...IMAGES, preprocessing: "256", contents };
  const controller = new AbortController();
  const onProgress = () => controller.abort();
  const ended = openFeatureCache(encoderOf(), images, { ...options, signal: controller.signal, onProgress });
  await assert.rejects(ended, { name: "AbortError" });
  const encoder = encoderOf();
  const progress: unknown[] = [];
  using cache = await openFeatureCache(encoder, images, {
    ...options,
    onProgress: (done, total) => progress.push([done, total]),
  });
  assert.deepEqual([encoder.shown, progress], [[2], [[18, 18]]]);
  // The same images in another dataset, in another order.
  const other = { ...images, contents: contents.toReversed(), fingerprint: "other" };
  using same = await openFeatureCache(encoder, other, options);
  assert.deepEqual(encoder.shown, [2]);
  const [one, two] = [new Float32Array(SIZE), new Float32Array(SIZE)];
  cache.read(17, one);
  same.read(0, two);
  assert.deepEqual(one, two);
});

cacheTest("openFeatureCache() computes the features of an image that a dataset has twice once", async (options) => {
  const images = { ...IMAGES, contents: IMAGES.examples.map((_, index) => `content ${index % 9}`) };
  const encoder = encoderOf();
  using _cache = await openFeatureCache(encoder, images, options);
  assert.deepEqual(encoder.shown, [9]);
});
