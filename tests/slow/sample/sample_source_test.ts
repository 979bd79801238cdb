import assert from "node:assert/strict";
import { stateDictLayout } from "../../../src/checkpoint/model_shape.ts";
import { Engine } from "../../../src/ffi/engine.ts";
import { makeRecipe, sideBeforeCrop } from "../../../src/pipeline/recipe.ts";
import { modelSettings } from "../../../src/pipeline/run_model.ts";
import { renderSample, type SampleSource } from "../../../src/sample/sample_source.ts";
import { prepareTrainingData } from "../../../src/pipeline/training_data.ts";
import { TINY_MODEL } from "../../support/native.ts";
import { nativeTest } from "../../support/native_test_case.ts";
import { silentReporter } from "../../support/silent_reporter.ts";

let source: Promise<SampleSource> | undefined;
const progress: [number, number][] = [];

/** The dataset of seed 0, rendered once for all tests of this file. */
function sample(): Promise<SampleSource> {
  return source ??= renderSample(0, (done, total) => progress.push([done, total]));
}

Deno.test("renderSample() holds out scenes that training never sees", async () => {
  const { dataset, heldOut } = await sample();
  const { splits, vocabulary } = prepareTrainingData(dataset, makeRecipe("sample"), 0);
  assert.equal(heldOut.length, 160);
  assert.deepEqual(splits.test.map(({ example }) => example.captions), heldOut.map(({ captions }) => captions));
  const seen = new Set([...splits.train, ...splits.validation].map(({ example }) => example.name));
  assert.equal(seen.size + heldOut.length, dataset.examples.length);
  assert(splits.test.every(({ example }) => !seen.has(example.name)));
  assert.equal(dataset.rows.length, dataset.examples.flatMap(({ captions }) => captions).length);
  // Every word of the captions is in the vocabulary.
  assert(
    heldOut.every(({ captions }) => captions.every((caption) => !vocabulary.encode(caption.split(" ")).includes(1))),
  );
});

Deno.test("renderSample()'s recipe has a model of at most 10 MB", async () => {
  const { dataset } = await sample();
  const recipe = makeRecipe("sample");
  const { vocabulary } = prepareTrainingData(dataset, recipe, 0);
  const layout = stateDictLayout(modelSettings(recipe, vocabulary.size));
  const floats = [...layout.values()].reduce((sum, { shape }) => sum + shape.reduce((size, side) => size * side, 1), 0);
  // The rest of the file is its header with the names, the vocabulary and the settings.
  const header = 100_000;
  assert(4 * floats + header <= 10_000_000, `${4 * floats} bytes of weights`);
});

Deno.test("renderSample() makes a task that cannot be guessed", async () => {
  const { heldOut } = await sample();
  const descriptions = new Set(heldOut.map(({ captions }) => captions.toSorted().join()));
  assert(descriptions.size >= 100, `${descriptions.size} descriptions`);
  const captions = heldOut.flatMap(({ captions }) => captions);
  const fractions = [...new Set(captions)].map((caption) => captions.filter((other) => other === caption).length / 160);
  assert(Math.max(...fractions) <= 0.05);
});

Deno.test("renderSample() reports its progress", async () => {
  const { dataset } = await sample();
  const total = dataset.examples.length;
  assert.deepEqual(progress.at(-1), [total, total]);
  assert(progress.every(([done], index) => index === 0 || done > (progress[index - 1]?.[0] ?? 0)));
});

nativeTest("renderSample() returns the pixels that captioning sees", async () => {
  const source = await sample();
  const recipe = makeRecipe("sample", { imageSize: 32 });
  using engine = await Engine.open(TINY_MODEL, { device: "cpu", precision: "fp32", threads: 1 });
  const { signal } = new AbortController();
  using images = await source.openImages({ engine, recipe, reporter: silentReporter(), signal });
  assert.deepEqual(images.examples, source.dataset.examples);
  assert.deepEqual(images.broken, []);
  const first = images.examples.length - source.heldOut.length;
  for (const index of [0, 7, 159]) {
    const scene = source.heldOut[index];
    assert(scene !== undefined);
    const pixels = new Uint8Array(32 * 32 * 3);
    await images.read(first + index, 32, pixels);
    const side = sideBeforeCrop({ imageSize: 32, resize: "crop" });
    const resized = { width: side, height: side, pixels: await engine.resizeCrop(scene.image, side, side) };
    assert.deepEqual(pixels, await engine.resizeCrop(resized, side, 32));
  }
  await assert.rejects(images.read(images.examples.length, 32, new Uint8Array(3072)), RangeError);
});
