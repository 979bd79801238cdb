import assert from "node:assert/strict";
import type { Batch } from "../../src/ffi/batch.ts";
import { Engine } from "../../src/ffi/engine.ts";
import type { EngineOptions, ModelSettings, TrainStepOptions } from "../../src/ffi/settings.ts";
import golden from "../golden/model.json" with { type: "json" };
import { digests, mapTensor, readNumbers, tensorNamed } from "./engine_state.ts";
import { fill } from "./formula.ts";
import { fillModel, goldenBatch, modelSettings } from "../support/golden_batch.ts";
import { TINY_MODEL } from "../support/native.ts";
import { logitsOf } from "../support/test_abi.ts";
import { nativeTest } from "../support/native_test_case.ts";

const CPU: EngineOptions = { device: "cpu", precision: "fp64", threads: 1 };
const STILL: TrainStepOptions = {
  optimizer: "adam",
  trainableFrom: "none",
  learningRate: 0,
  encoderLearningRate: 0,
};

/** Many equal captions of two input tokens. */
function captions(rows: number, words: readonly [number, number], targets: readonly [number, number]): Batch {
  return {
    images: { count: 1, values: Float32Array.from(fill("feature", 32 * TINY_MODEL.encoderWidth)) },
    imageOfRow: new Int32Array(rows),
    inputs: Int32Array.from({ length: rows * 2 }, (_, index) => words[index % 2] ?? -1),
    inputsLength: 2,
    targets: Int32Array.from({ length: rows * 2 }, (_, index) => targets[index % 2] ?? -1),
    targetsLength: 2,
  };
}

/** A model that predicts token 7 with probability 0.2 and token 8 with 0.8, whatever its input. */
async function openDecided(model: ModelSettings): Promise<Engine> {
  const engine = await Engine.open(model, CPU);
  // The weights are nearly 0: gradients still pass.
  await mapTensor(engine, "linear.weight", (value) => value * 1e-9);
  await mapTensor(engine, "linear.bias", (_, word) => word === 7 ? Math.log(0.2) : word === 8 ? Math.log(0.8) : -100);
  return engine;
}

/** The gradient of a token's embedding. */
async function wordGradient(engine: Engine, word: number): Promise<Float64Array> {
  const width = (await tensorNamed(engine, "embed.weight")).shape[1] ?? 0;
  return (await readNumbers(engine, "grad.embed.weight")).subarray(word * width, (word + 1) * width);
}

nativeTest("scheduledSampling 0 takes no random number and changes nothing", async () => {
  using engine = await Engine.open(TINY_MODEL, CPU);
  const batch = captions(4, [2, 5], [5, 3]);
  const before = await digests(engine, ["random"]);
  const without = await engine.trainStep([batch], STILL);
  assert.deepEqual(await engine.trainStep([batch], { ...STILL, scheduledSampling: 0 }), without);
  assert.deepEqual(await digests(engine, ["random"]), before);
});

for (const name of ["1u every", "2f every", "4f every", "2u first", "4f first"] as const) {
  nativeTest(`scheduledSampling 1 feeds a certain model its own predictions: ${name}`, async () => {
    const settings = golden.cases[name].case;
    const model = modelSettings(settings);
    using engine = await Engine.open(model, CPU);
    await fillModel(engine);
    await mapTensor(engine, "linear.weight", (value) => value * 1e5);
    const given = goldenBatch(name, settings);
    const { inputsLength } = given;
    const own = { ...given, inputs: given.inputs.slice() };
    for (let position = 1; position < inputsLength; position++) {
      const logits = await logitsOf(engine, own, model.vocabularySize);
      for (let row = 0; row < given.imageOfRow.length; row++) {
        const start = (row * inputsLength + position - 1) * model.vocabularySize;
        const scores = logits.subarray(start, start + model.vocabularySize);
        const [best = NaN, second = NaN] = scores.toSorted().reverse();
        assert(best - second > 50, `the model is not sure: ${best - second}`);
        own.inputs[row * inputsLength + position] = scores.indexOf(best);
      }
    }
    assert(own.inputs.some((word, index) => word !== given.inputs[index]));
    const { loss: expected } = await engine.evaluateStep(own);
    const { loss } = await engine.trainStep([given], { ...STILL, scheduledSampling: 1 });
    assert(Math.abs(loss / expected - 1) < 1e-9, `${loss} is not ${expected}`);
    assert.notEqual(loss, (await engine.evaluateStep(given)).loss);
  });
}

for (const inject of ["every", "first"] as const) {
  nativeTest(`scheduledSampling replaces its fraction by samples of the model's prediction: ${inject}`, async () => {
    const model = { ...TINY_MODEL, inject };
    using engine = await openDecided(model);
    const rows = 4000;
    const fraction = 0.5;
    const expected = new Map([[5, 1 - fraction], [7, fraction * 0.2], [8, fraction * 0.8]]);
    // A token's gradient is proportional to the captions with it as input.
    const all = new Map<number, Float64Array>();
    for (const word of expected.keys()) {
      await engine.trainStep([captions(rows, [2, word], [4, 3])], STILL);
      all.set(word, (await wordGradient(engine, word)).slice());
    }
    await engine.trainStep([captions(rows, [2, 5], [4, 3])], { ...STILL, scheduledSampling: fraction });
    let total = 0;
    for (const [word, probability] of expected) {
      const gradient = await wordGradient(engine, word);
      const ratios = Array.from(gradient, (value, index) => value / (all.get(word)?.[index] ?? NaN));
      const [ratio = NaN] = ratios;
      assert(ratios.every((other) => Math.abs(other - ratio) < 1e-6), `ratios of word ${word} differ`);
      const deviation = Math.sqrt(probability * (1 - probability) / rows);
      assert(Math.abs(ratio - probability) < 4 * deviation, `word ${word}: ${ratio}, not ${probability}`);
      total += ratio;
    }
    assert(Math.abs(total - 1) < 1e-6);
  });
}

nativeTest("scheduledSampling never replaces a caption's first token", async () => {
  using engine = await openDecided(TINY_MODEL);
  const batch = captions(200, [10, 5], [4, -1]);
  const { loss: expected } = await engine.evaluateStep(batch);
  const { loss } = await engine.trainStep([batch], { ...STILL, scheduledSampling: 1 });
  assert(Math.abs(loss - expected) < 1e-12);
  assert((await wordGradient(engine, 10)).some((value) => value !== 0));
  for (const word of [7, 8]) assert((await wordGradient(engine, word)).every((value) => value === 0));
});

nativeTest("scheduledSampling keeps every parameter's gradient, also in bfloat16", async () => {
  const settings = golden.cases["4f every"].case;
  for (const precision of ["fp32", "bf16"] as const) {
    using engine = await Engine.open(modelSettings(settings), { device: "cpu", precision });
    await fillModel(engine);
    await engine.trainStep([goldenBatch("4f every", settings)], {
      ...STILL,
      trainableFrom: "conv1",
      scheduledSampling: 0.5,
    });
    const tensors = await engine.tensors();
    const names = (kind: string) => tensors.filter((tensor) => tensor.kind === kind).map(({ name }) => name);
    assert.deepEqual(names("gradient"), names("parameter").map((name) => `grad.${name}`));
    for (const name of names("gradient")) assert((await readNumbers(engine, name)).some((value) => value !== 0), name);
  }
});
