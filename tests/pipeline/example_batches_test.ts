import assert from "node:assert/strict";
import { exampleBatches, inOrder } from "../../src/pipeline/example_batches.ts";
import { makeRecipe } from "../../src/pipeline/recipe.ts";
import { ImageError } from "../../src/images/image_error.ts";
import { drawnImages, renderedExamples } from "../support/drawn_data.ts";

const rendered = renderedExamples(5);
const RECIPE = makeRecipe("lrcn", { batchSize: 2, imageSize: 32 });
const examples = rendered.map((example, index) => ({
  example,
  captions: [Int32Array.of(1, 10 + index, 2)],
}));

async function readAll(plan: Parameters<typeof exampleBatches>[2], lost: readonly number[] = []) {
  const images = drawnImages(rendered, (index) => {
    if (lost.includes(index)) throw new ImageError("it is gone", rendered[index]?.path);
  });
  return await Array.fromAsync(exampleBatches({ recipe: RECIPE, images }, examples, plan));
}

async function readResized(index: number, side: number): Promise<Uint8Array> {
  const pixels = new Uint8Array(side * side * 3);
  await drawnImages(rendered).read(index, side, pixels);
  return pixels;
}

Deno.test("exampleBatches() gives each example the center crop if no other is planned", async () => {
  const [first, second, third, ...rest] = await readAll(inOrder(examples));
  assert.deepEqual(rest, []);
  assert.deepEqual([first, second, third].map((batch) => batch?.images.count), [2, 2, 1]);
  assert(third !== undefined && "pixels" in third.images && !("crops" in third.images));
  assert.deepEqual([third.images.height, third.images.width], [32, 32]);
  assert.deepEqual(third.images.pixels, await readResized(4, 32));
});

Deno.test("exampleBatches() gives whole resized images with the planned crop of each example", async () => {
  const order = [3, 0, 4];
  const crops = order.map((index) => ({ top: index, left: 5 - index, flip: index === 0 }));
  const [first, second] = await readAll({ order, crops });
  assert(first !== undefined && "crops" in first.images && second !== undefined && "crops" in second.images);
  assert.deepEqual([first.images.height, first.images.width, first.images.crop], [37, 37, 32]);
  assert.deepEqual([...first.images.crops], [3, 2, 0, 0, 5, 1]);
  assert.deepEqual([...second.images.crops], [4, 1, 0]);
  assert.deepEqual(first.images.pixels.subarray(37 * 37 * 3), await readResized(0, 37));
  assert.deepEqual([...first.inputs], [1, 13, 1, 10]);
});

Deno.test("exampleBatches() skips examples whose images are lost, with their captions and crops", async () => {
  const order = [3, 0, 1, 2, 4];
  const crops = order.map((index) => ({ top: index, left: 0, flip: false }));
  const [first, second, third, ...rest] = await readAll({ order, crops }, [3]);
  assert(first !== undefined && second !== undefined && third !== undefined && "crops" in first.images);
  assert.deepEqual([first, second, third].map(({ images }) => images.count), [1, 2, 1]);
  assert.deepEqual([first.examples, [...first.inputs]], [[examples[0]], [1, 10]]);
  assert.deepEqual([...first.images.crops], [0, 0, 0]);
  assert.deepEqual(first.images.pixels, await readResized(0, 37));
  assert.deepEqual(second.examples, [examples[1], examples[2]]);
  assert.deepEqual(rest, []);
});

Deno.test("exampleBatches() skips a batch without images, and fails if no image is left", async () => {
  const left = await readAll(inOrder(examples), [2, 3]);
  assert.deepEqual(left.map((batch) => batch.examples), [[examples[0], examples[1]], [examples[4]]]);
  await assert.rejects(readAll(inOrder(examples), [0, 1, 2, 3, 4]), { name: "InputError", message: /it is gone/ });
  assert.deepEqual(await readAll({ order: [], crops: [] }), []);
});

Deno.test("exampleBatches() loads one batch ahead, and the last may be smaller", async () => {
  const reads: number[] = [];
  const images = drawnImages(rendered, (index) => reads.push(index));
  const batches = exampleBatches({ recipe: RECIPE, images }, examples, inOrder(examples));
  assert.equal((await batches.next()).value?.images.count, 2);
  assert.deepEqual(reads, [0, 1, 2, 3]);
  assert.deepEqual((await Array.fromAsync(batches)).map((batch) => batch.images.count), [2, 1]);
});

Deno.test("exampleBatches() refuses a batch size that is not a positive integer", async () => {
  const images = drawnImages(rendered);
  const batches = exampleBatches({ recipe: RECIPE, images }, examples, inOrder(examples), { batchSize: 0 });
  await assert.rejects(batches.next(), RangeError);
});
