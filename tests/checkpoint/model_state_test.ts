import assert from "node:assert/strict";
import { loadModel, loadTraining, modelTensors } from "../../src/checkpoint/model_state.ts";
import type { StoredTensor, TensorSource } from "../../src/checkpoint/tensor.ts";
import { Engine } from "../../src/ffi/engine.ts";
import type { EngineOptions } from "../../src/ffi/settings.ts";
import { InputError } from "../../src/input_error.ts";
import { goldenBatch } from "../support/golden_batch.ts";
import { TINY_MODEL } from "../support/native.ts";
import { nativeTest } from "../support/native_test_case.ts";
import golden from "../golden/model.json" with { type: "json" };

const SINGLE: EngineOptions = { device: "cpu", precision: "fp32", threads: 1 };
const DOUBLE: EngineOptions = { device: "cpu", precision: "fp64", threads: 1 };
const BATCH = goldenBatch("1u every", golden.cases["1u every"].case);
const STEP = { optimizer: "adamw", encoderLearningRate: 1e-3, learningRate: 1e-3 } as const;

/** Tensors as a file gives them, apart from the engine they are from. */
async function stored(tensors: readonly TensorSource[]): Promise<Map<string, StoredTensor>> {
  const map = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, read } of tensors) {
    const bytes = await read();
    map.set(name, { dtype, shape, read: () => Promise.resolve(bytes) });
  }
  return map;
}

async function snapshot(engine: Engine): Promise<Map<string, string>> {
  const tensors = await stored(await modelTensors(engine, ["parameter", "buffer"]));
  const digests = new Map<string, string>();
  for (const [name, tensor] of tensors) digests.set(name, (await tensor.read()).toBase64());
  return digests;
}

nativeTest("modelTensors() lists the kinds that are asked for, by PyTorch's names", async () => {
  using engine = await Engine.open(TINY_MODEL, SINGLE);
  await engine.trainStep([BATCH], STEP);
  const names = async (...kinds: Parameters<typeof modelTensors>[1]) =>
    (await modelTensors(engine, kinds)).map(({ name }) => name);
  const parameters = await names("parameter");
  assert.equal(parameters[0], "embed.weight");
  assert(parameters.includes("resnet.layer1.0.downsample.0.weight") && parameters.includes("lstm.weight_ih_l0"));
  const buffers = await names("buffer");
  assert(buffers.every((name) => /^resnet\..*\.(?:running_mean|running_var|num_batches_tracked)$/.test(name)));
  assert.deepEqual((await names("parameter", "buffer")).toSorted(), [...parameters, ...buffers].toSorted());
  const optimizer = await names("optimizer");
  assert(optimizer.includes("adam.exp_avg.embed.weight") && optimizer.every((name) => name.startsWith("adam.")));
  assert.deepEqual(await names("random"), ["rng"]);
});

nativeTest("loadModel() makes a model compute the same as another", async () => {
  using first = await Engine.open(TINY_MODEL, { ...SINGLE, seed: 1 });
  await first.trainStep([BATCH], STEP);
  using second = await Engine.open(TINY_MODEL, { ...SINGLE, seed: 2 });
  assert.notEqual((await first.evaluateStep(BATCH)).loss, (await second.evaluateStep(BATCH)).loss);
  const whole = await stored(await modelTensors(first, ["parameter", "buffer", "optimizer", "random"]));
  await loadModel(second, whole, { source: "last.safetensors" });
  assert.deepEqual(await snapshot(second), await snapshot(first));
  assert.equal((await first.evaluateStep(BATCH)).loss, (await second.evaluateStep(BATCH)).loss);
});

nativeTest("loadModel() turns float64 into float32 and back", async () => {
  using double = await Engine.open(TINY_MODEL, { ...DOUBLE, seed: 1 });
  using single = await Engine.open(TINY_MODEL, { ...SINGLE, seed: 2 });
  await loadModel(single, await stored(await modelTensors(double, ["parameter", "buffer"])), { source: "a" });
  const [expected, loss] = [await double.evaluateStep(BATCH), await single.evaluateStep(BATCH)];
  assert(Math.abs(loss.loss / expected.loss - 1) < 1e-5);
  const before = await snapshot(single);
  using again = await Engine.open(TINY_MODEL, { ...DOUBLE, seed: 3 });
  await loadModel(again, await stored(await modelTensors(single, ["parameter", "buffer"])), { source: "b" });
  using back = await Engine.open(TINY_MODEL, { ...SINGLE, seed: 4 });
  await loadModel(back, await stored(await modelTensors(again, ["parameter", "buffer"])), { source: "c" });
  assert.deepEqual(await snapshot(back), before);
});

nativeTest("loadModel() changes nothing unless every tensor fits", async () => {
  using engine = await Engine.open(TINY_MODEL, { ...SINGLE, seed: 1 });
  using other = await Engine.open(TINY_MODEL, { ...SINGLE, seed: 2 });
  const whole = await stored(await modelTensors(other, ["parameter", "buffer"]));
  const bias: StoredTensor = { dtype: "F32", shape: [3], read: () => Promise.resolve(new Uint8Array(12)) };
  const without = (name: string) => new Map([...whole].filter(([other]) => other !== name));
  const wrong: [Map<string, StoredTensor>, RegExp][] = [
    [without("linear.bias"), /missing 'linear\.bias'$/],
    [new Map([...whole, ["kite", bias]]), /unexpected 'kite'$/],
    [new Map([...whole, ["linear.bias", bias]]), /'linear\.bias' is F32 \[3\] where the model has F32 \[40\]$/],
    [
      new Map([...whole, ["linear.bias", { ...bias, dtype: "I64", shape: [40] } as const]]),
      /'linear\.bias' is I64 \[40\] where the model has F32 \[40\]$/,
    ],
    [new Map(), /missing 'embed\.weight', .* and \d+ more$/],
  ];
  const before = await snapshot(engine);
  for (const [found, message] of wrong) {
    await assert.rejects(loadModel(engine, found, { source: "kite.safetensors" }), (error) => {
      assert(error instanceof InputError);
      assert.match(error.message, /^Cannot load weights from 'kite\.safetensors': they are not this model's: /);
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual(await snapshot(engine), before);
  }
});

const WHOLE = ["parameter", "buffer", "optimizer", "random"] as const;

nativeTest("loadTraining() makes the next steps of a training those of another, bit for bit", async () => {
  const step = { ...STEP, outputDropout: 0.5 };
  using first = await Engine.open(TINY_MODEL, { ...SINGLE, seed: 1 });
  for (let count = 0; count < 3; count++) await first.trainStep([BATCH], step);
  using second = await Engine.open(TINY_MODEL, { ...SINGLE, seed: 2 });
  await loadTraining(second, await stored(await modelTensors(first, WHOLE)), { source: "last.safetensors" });
  for (let count = 0; count < 2; count++) {
    assert.deepEqual(await first.trainStep([BATCH], step), await second.trainStep([BATCH], step));
  }
  assert.deepEqual(await snapshot(second), await snapshot(first));
});

nativeTest("loadTraining() takes a state from before the first step", async () => {
  using first = await Engine.open(TINY_MODEL, { ...SINGLE, seed: 1 });
  using second = await Engine.open(TINY_MODEL, { ...SINGLE, seed: 2 });
  await loadTraining(second, await stored(await modelTensors(first, WHOLE)), { source: "last.safetensors" });
  assert.deepEqual(await snapshot(second), await snapshot(first));
});

nativeTest(
  "loadTraining() rejects a state whose moments or random state are missing or belong to another model",
  async () => {
    using engine = await Engine.open(TINY_MODEL, { ...SINGLE, seed: 1 });
    await engine.trainStep([BATCH], STEP);
    const whole = await stored(await modelTensors(engine, WHOLE));
    const before = await snapshot(engine);
    const without = (name: string) => new Map([...whole].filter(([other]) => other !== name));
    const rng: StoredTensor = { dtype: "U8", shape: [16], read: () => Promise.resolve(new Uint8Array(16)) };
    const wrong: [Map<string, StoredTensor>, RegExp][] = [
      [without("adam.exp_avg_sq.linear.bias"), /missing 'adam\.exp_avg_sq\.linear\.bias'$/],
      [without("adam.step.encoder"), /missing 'adam\.step\.encoder'$/],
      [without("rng"), /missing 'rng'$/],
      [new Map([...whole, ["rng", rng]]), /its random state belongs to another device; resume with the --device/],
    ];
    for (const [found, message] of wrong) {
      using other = await Engine.open(TINY_MODEL, { ...SINGLE, seed: 1 });
      await other.trainStep([BATCH], STEP);
      await assert.rejects(
        loadTraining(other, found, { source: "last.safetensors" }),
        (error) => error instanceof InputError && message.test(error.message),
        String(message),
      );
      assert.deepEqual(await snapshot(other), before);
    }
  },
);
