import assert from "node:assert/strict";
import { Engine } from "../../src/ffi/engine.ts";
import type { EngineOptions, TrainStepOptions } from "../../src/ffi/settings.ts";
import { InputError } from "../../src/input_error.ts";
import golden from "../golden/model.json" with { type: "json" };
import { microBatches } from "./batches.ts";
import { changed, digests, mapTensor, readNumbers } from "./engine_state.ts";
import { fillModel, goldenBatch, modelSettings } from "../support/golden_batch.ts";
import { TINY_MODEL } from "../support/native.ts";
import { nativeTest } from "../support/native_test_case.ts";

const CPU: EngineOptions = { device: "cpu", precision: "fp32", threads: 1, seed: 3 };
const NAME = "4f every";
const CASE = golden.cases[NAME].case;
const MODEL = modelSettings(CASE);
const BATCH = goldenBatch(NAME, CASE);
const PARTS = microBatches(BATCH, 2);
const STATE = ["parameter", "buffer", "optimizer", "random"] as const;

/** A step with every option. */
const STEP: TrainStepOptions = {
  optimizer: "adamw",
  learningRate: 1e-3,
  encoderLearningRate: 1e-4,
  trainableFrom: "layer2",
  batchNorm: "batch",
  embeddingDropout: 0.3,
  lstmDropout: 0.2,
  outputDropout: 0.5,
  labelSmoothing: 0.1,
  scheduledSampling: 0.25,
  weightDecay: 0.01,
  encoderWeightDecay: 0.02,
  maxGradientNorm: 0.25,
};

async function openFilled(options: EngineOptions = CPU): Promise<Engine> {
  const engine = await Engine.open(MODEL, options);
  await fillModel(engine);
  return engine;
}

for (const precision of ["fp32", "bf16"] as const) {
  nativeTest(`Engine.trainStep() with every option gives the same bytes for the same seed: ${precision}`, async () => {
    const ends = [];
    for (const seed of [3, 3, 4]) {
      using engine = await openFilled({ ...CPU, precision, seed });
      for (let step = 0; step < 3; step++) await engine.trainStep(PARTS, STEP);
      ends.push(await digests(engine, STATE));
    }
    const [one, same, other] = ends;
    assert.deepEqual(one, same);
    assert.notDeepEqual(one, other);
  });
}

nativeTest("Engine.tryTrainStep() does not affect later steps", async () => {
  using tried = await openFilled();
  using untried = await openFilled();
  const before = await digests(tried, STATE);
  await tried.tryTrainStep(PARTS, STEP);
  const after = await digests(tried, STATE);
  const moments = changed(before, after);
  assert(moments.length > 0 && moments.every((name) => name.startsWith("adam.")), String(moments));
  for (const name of moments) assert((await readNumbers(tried, name)).every((value) => value === 0), name);
  assert.deepEqual(await digests(tried, ["gradient"]), {});
  for (const engine of [tried, untried]) {
    for (let step = 0; step < 2; step++) await engine.trainStep(PARTS, STEP);
  }
  const later = await digests(untried, STATE);
  assert.deepEqual(await digests(tried, STATE), later);
  await tried.tryTrainStep([BATCH], STEP);
  assert.deepEqual(await digests(tried, STATE), later);
});

nativeTest("Engine.tryTrainStep() that fails at any batch changes nothing either", async () => {
  using engine = await openFilled();
  await engine.trainStep([BATCH], STEP);
  const before = await digests(engine, STATE);
  await assert.rejects(engine.tryTrainStep([BATCH], { ...STEP, embeddingDropout: 1 }), /embedding_dropout is 1/);
  const wrong = { ...BATCH, targets: BATCH.targets.map(() => -1) };
  await assert.rejects(engine.tryTrainStep([BATCH, wrong], STEP), /counts no token/);
  assert.deepEqual(changed(before, await digests(engine, STATE)), []);
  assert.deepEqual(await digests(engine, ["gradient"]), {});
});

nativeTest("Engine.trainStep() changes no parameter or moment if the gradient is not finite", async () => {
  for (const [value, options] of [[NaN, STEP], [1e38, { ...STEP, scheduledSampling: 0 }], [Infinity, STEP]] as const) {
    using engine = await openFilled();
    await engine.trainStep([BATCH], STEP);
    const sound = await readNumbers(engine, "linear.weight");
    await mapTensor(engine, "linear.weight", (weight, index) => index % 5 === 0 ? value : weight);
    const before = await digests(engine, ["parameter", "optimizer"]);
    const { gradientNorm } = await engine.trainStep(PARTS, { ...options, outputDropout: 0 });
    assert(!Number.isFinite(gradientNorm), `${value} gives ${gradientNorm}`);
    assert.deepEqual(changed(before, await digests(engine, ["parameter", "optimizer"])), []);
    await mapTensor(engine, "linear.weight", (_, index) => sound[index] ?? NaN);
    assert(Number.isFinite((await engine.trainStep(PARTS, { ...STEP, batchNorm: "frozen" })).gradientNorm));
  }
});

nativeTest("Engine.trainStep() that fails at a later batch leaves no gradients for the next step", async () => {
  using failed = await openFilled();
  using sound = await openFilled();
  const [first, second] = PARTS;
  assert(first !== undefined && second !== undefined);
  const wrong = { ...second, targets: second.targets.map(() => -1) };
  const plain = {
    ...STEP,
    batchNorm: "frozen" as const,
    embeddingDropout: 0,
    lstmDropout: 0,
    outputDropout: 0,
    scheduledSampling: 0,
  };
  await assert.rejects(failed.trainStep([first, wrong], plain), /counts no token/);
  assert.deepEqual(await digests(failed, ["gradient"]), {});
  assert.deepEqual(await failed.trainStep([BATCH], plain), await sound.trainStep([BATCH], plain));
  assert.deepEqual(await digests(failed, STATE), await digests(sound, STATE));
});

nativeTest("Engine.stepResults() has nothing of a step that failed at a later batch", async () => {
  using failed = await openFilled();
  using sound = await openFilled();
  const still = { ...STEP, batchNorm: "frozen", embeddingDropout: 0, lstmDropout: 0, outputDropout: 0 } as const;
  const plain = { ...still, scheduledSampling: 0 };
  const wrong = { ...BATCH, targets: BATCH.targets.map(() => -1) };
  await failed.queueStep(PARTS, plain);
  await assert.rejects(failed.queueStep([BATCH, wrong], plain), /counts no token/);
  await failed.queueStep([BATCH], plain);
  await assert.rejects(failed.queueStep([wrong], plain), /counts no token/);
  const expected = [await sound.trainStep(PARTS, plain), await sound.trainStep([BATCH], plain)];
  assert.deepEqual(await failed.stepResults(), expected);
  assert.deepEqual(await failed.stepResults(), []);
});

nativeTest("Engine.trainStep() requires a batch", async () => {
  using engine = await openFilled();
  await assert.rejects(engine.trainStep([], STEP), RangeError);
});

nativeTest("Engine.evaluateStep() has no label smoothing", async () => {
  using engine = await openFilled();
  const still = { ...STEP, learningRate: 0, encoderLearningRate: 0, trainableFrom: "none" } as const;
  const plain = { ...still, embeddingDropout: 0, lstmDropout: 0, outputDropout: 0, scheduledSampling: 0 };
  const { loss: evaluated } = await engine.evaluateStep(BATCH);
  const { loss: smoothed } = await engine.trainStep([BATCH], plain);
  const { loss: sharp } = await engine.trainStep([BATCH], { ...plain, labelSmoothing: 0 });
  assert(Math.abs(sharp - evaluated) < 1e-6);
  assert(Math.abs(smoothed - evaluated) > 1e-3);
  assert.equal((await engine.evaluateStep(BATCH)).loss, evaluated);
});

nativeTest("Engine.trainStep() refuses batch statistics of a single value", async () => {
  using engine = await openFilled();
  const pixels = new Uint8Array(32 * 32 * 3);
  const single = { ...BATCH, images: { count: 1, height: 32, width: 32, pixels }, imageOfRow: new Int32Array(12) };
  await assert.rejects(engine.trainStep([single], STEP), /single image of at most 32 x 32 pixels/);
  assert(Number.isFinite((await engine.trainStep([single], { ...STEP, batchNorm: "frozen" })).loss));
});

nativeTest("Engine.open() reports a lack of memory, and the process survives", async () => {
  const terabytes = { ...TINY_MODEL, vocabularySize: 2 ** 24, embedSize: 65536 };
  await assert.rejects(
    Engine.open(terabytes, CPU),
    (error) =>
      error instanceof InputError &&
      /^Cannot create the model: 4194304 MiB more memory are needed, and \d+ MiB are left; lower --e/.test(
        error.message,
      ),
  );
  using engine = await openFilled();
  assert(Number.isFinite((await engine.trainStep([BATCH], STEP)).loss));
});
