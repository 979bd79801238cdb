/**
 * Training steps as `deno task train` takes them, on a dataset in a folder; bench/contender.ts runs this.
 *
 *     train.ts '{"recipe": "lrcn", "precision": "fp32", ...}', a TrainingSettings of bench/context.ts
 *
 * It answers with {"seconds", "captions", "words", "images"} and `native`, the seconds in the library's steps, `call`,
 * what the way to the library and back takes, and `held`, the longest time in which Deno's event loop did nothing else; with
 * `validate` with the seconds and images of a validation. On a GPU the results of steps are read after ten of them, and with `blank` images are black and nothing is read.
 *
 * @module
 */

import { join } from "node:path";
import type { Batch, StepResult } from "../../src/ffi/batch.ts";
import { SINGLE_PROCESS } from "../../src/distributed/process_group.ts";
import { Engine } from "../../src/ffi/engine.ts";
import { openFeatureCache } from "../../src/pipeline/feature_cache.ts";
import { readSource } from "../../src/pipeline/file_source.ts";
import { makeRecipe } from "../../src/pipeline/recipe.ts";
import { checkpointMetadata, modelSettings } from "../../src/pipeline/run_model.ts";
import type { Progress } from "../../src/pipeline/progress.ts";
import { train } from "../../src/pipeline/train.ts";
import { prepareTrainingData } from "../../src/pipeline/training_data.ts";
import { validate } from "../../src/pipeline/validate.ts";
import type { TrainingSettings } from "../context.ts";
import { answer } from "../contender.ts";
import { median } from "../table.ts";

const settings: TrainingSettings = JSON.parse(Deno.args[0] ?? "{}");
const { recipe: name, frozen, precision, device, data: folder, cache, steps, validate: validates } = settings;
const { batchSize = 16, blank = false, set } = settings;
const readEvery = device === "cuda" ? 10 : 1;
const [seed, signal] = [1, new AbortController().signal];
const recipe = makeRecipe(name, { minCount: 1, epochs: 1, frozenEpochs: frozen ? 1 : 0, batchSize, ...set });
const source = await readSource({ data: folder, cacheFolder: join(cache, "images"), seed });
const data = prepareTrainingData(source.dataset, recipe, seed);
const model = modelSettings(recipe, data.vocabulary.size);
using engine = await Engine.open(model, { device, precision, seed });
const reporter = { note: console.error, warn: console.error, progress() {}, step() {}, epoch() {} };
using images = await source.openImages({ engine, recipe, reporter, signal });
const featuresFolder = join(cache, "features");
using features = frozen
  ? await openFeatureCache(engine, images, { folder: featuresFolder, imageSize: recipe.imageSize })
  : undefined;

let counts = { captions: 0, words: 0, images: 0, native: 0 };
const measured = {
  async trainStep(...step: Parameters<Engine["trainStep"]>) {
    const result = await timed(engine.trainStep(...step));
    count(step[0], [result]);
    return result;
  },
  async queueStep(...step: Parameters<Engine["queueStep"]>) {
    await timed(engine.queueStep(...step));
    count(step[0], []);
  },
  async stepResults() {
    const results = await timed(engine.stepResults());
    count([], results);
    return results;
  },
  tryTrainStep: engine.tryTrainStep.bind(engine),
  encode: engine.encode.bind(engine),
  evaluateStep: engine.evaluateStep.bind(engine),
  startDecoding: engine.startDecoding.bind(engine),
  resizeCrop: engine.resizeCrop.bind(engine),
  tensors: engine.tensors.bind(engine),
  read: engine.read.bind(engine),
  write: engine.write.bind(engine),
};

async function timed<Value>(call: Promise<Value>): Promise<Value> {
  const start = performance.now();
  const value = await call;
  counts.native += (performance.now() - start) / 1000;
  return value;
}

function count(batches: readonly Batch[], results: readonly StepResult[]): void {
  for (const { imageOfRow, images } of batches) {
    counts.captions += imageOfRow.length;
    counts.images += images.count;
  }
  for (const { tokens } of results) counts.words += tokens;
}

const metadata = checkpointMetadata(source.dataset, recipe, data, { model, seed });
const { vocabulary, splits } = data;
/** Reads nothing: what is left is the step alone. */
const black = { examples: images.examples, side: images.side, read: () => Promise.resolve() };
const context = {
  engine: measured,
  recipe,
  images: blank ? black : images,
  frozenFeatures: features,
  seed,
  metadata,
  vocabulary,
  pretrained: false,
  group: SINGLE_PROCESS,
};

/** The loop waits before each window of steps until it is asked for it. */
let asked = Promise.withResolvers<void>();
let done = Promise.withResolvers<void>();
let left = 0;

let before = 0;

async function onProgress({ step }: Progress): Promise<void> {
  left -= step - before;
  before = step;
  if (left > 0) return;
  done.resolve();
  await asked.promise;
}

async function measureSteps(window: number) {
  counts = { captions: 0, words: 0, images: 0, native: 0 };
  left = window;
  done = Promise.withResolvers();
  const former = asked;
  asked = Promise.withResolvers();
  let [held, last] = [0, performance.now()];
  const watch = setInterval(() => {
    const now = performance.now();
    held = Math.max(held, (now - last - 1) / 1000);
    last = now;
  }, 1);
  const start = performance.now();
  former.resolve();
  await done.promise;
  const seconds = (performance.now() - start) / 1000;
  clearInterval(watch);
  return { seconds, held, ...counts };
}

/** Seconds of a call that does next to nothing on the engine's thread. */
async function callTime(): Promise<number> {
  const times: number[] = [];
  for (let call = 0; call < 100; call++) {
    const start = performance.now();
    await engine.memory();
    times.push((performance.now() - start) / 1000);
  }
  return median(times);
}

if (validates) {
  const examples = splits.validation;
  await answer(async () => {
    const start = performance.now();
    await validate(context, examples, { features, signal });
    return { seconds: (performance.now() - start) / 1000, images: examples.length };
  });
} else {
  // So many images that the epoch outlasts all windows: none of them pays for a validation.
  const examples = Array.from({ length: 100 }, () => splits.train).flat();
  const stop = new AbortController();
  left = Infinity;
  const first = asked.promise;
  const running = first.then(() =>
    train({ ...context, splits: { train: examples, validation: [] } }, {
      checkpoints: { isDue: () => true, saveProgress: onProgress, saveEpoch: () => Promise.resolve() },
      onStep() {},
      signal: stop.signal,
      readEvery,
    })
  );
  await measureSteps(2);
  const call = await callTime();
  await answer(async () => ({ ...await measureSteps(steps), call }));
  stop.abort();
  asked.resolve();
  await running;
}
