import assert from "node:assert/strict";
import type { Batch } from "../../src/ffi/batch.ts";
import { Engine } from "../../src/ffi/engine.ts";
import type { EngineOptions } from "../../src/ffi/settings.ts";
import { buildInfo, loadLibrary } from "../../src/ffi/library.ts";
import { EngineError } from "../../src/ffi/status.ts";
import { InputError } from "../../src/input_error.ts";
import { changed, digests } from "./engine_state.ts";
import { fillModel, goldenBatch, modelSettings } from "../support/golden_batch.ts";
import golden from "../golden/model.json" with { type: "json" };
import { TINY_MODEL } from "../support/native.ts";
import { liveHandles, logitsOf } from "../support/test_abi.ts";
import { nativeTest } from "../support/native_test_case.ts";

const CPU: EngineOptions = { device: "cpu", precision: "fp64", threads: 1 };
const STEP = { optimizer: "adamw", encoderLearningRate: 1e-3, learningRate: 1e-3 } as const;
const MODEL_STATE = ["parameter", "buffer"] as const;
const BATCH = goldenBatch("1u every", golden.cases["1u every"].case);

nativeTest("Engine.open() creates the same model with the same seed, and another with another", async () => {
  using first = await Engine.open(TINY_MODEL, { ...CPU, seed: 1 });
  using same = await Engine.open(TINY_MODEL, { ...CPU, seed: 1 });
  using other = await Engine.open(TINY_MODEL, { ...CPU, seed: 2 });
  assert.deepEqual(await digests(first, MODEL_STATE), await digests(same, MODEL_STATE));
  assert.notDeepEqual(await digests(first, MODEL_STATE), await digests(other, MODEL_STATE));
});

nativeTest("Engine.open() initializes parameters with PyTorch's standard deviations", async () => {
  using engine = await Engine.open({ ...TINY_MODEL, vocabularySize: 2000, embedSize: 50, hiddenSize: 100 }, CPU);
  // Normal: 1 for embeddings, sqrt(2 / fan-out) for convolutions; uniform in 1 / sqrt(inputs): that over sqrt(3).
  const deviations: Record<string, number> = {
    "embed.weight": 1,
    "resnet.layer4.0.conv2.weight": Math.sqrt(2 / (64 * 9)),
    "linear.weight": 1 / Math.sqrt(100) / Math.sqrt(3),
    "lstm.weight_hh_l0": 1 / Math.sqrt(100) / Math.sqrt(3),
    "resnet.fc.weight": 1 / Math.sqrt(256) / Math.sqrt(3),
  };
  for (const tensor of await engine.tensors()) {
    const expected = deviations[tensor.name];
    if (expected === undefined) continue;
    const values = new Float64Array((await engine.read(tensor)).buffer);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    assert(Math.abs(deviation / expected - 1) < 0.02, `${tensor.name}: ${deviation}, not ${expected}`);
  }
});

nativeTest("Engine.open() initializes the padding's embedding with zeros if asked", async () => {
  using engine = await Engine.open(TINY_MODEL, { ...CPU, initialization: "zero-padding" });
  const embedding = (await engine.tensors()).find(({ name }) => name === "embed.weight");
  assert(embedding !== undefined);
  const values = new Float64Array((await engine.read(embedding)).buffer);
  assert(values.subarray(0, TINY_MODEL.embedSize).every((value) => value === 0));
  assert(values.subarray(TINY_MODEL.embedSize).some((value) => value !== 0));
});

nativeTest("Engine.open() initializes with zeros if asked", async () => {
  using engine = await Engine.open(TINY_MODEL, { ...CPU, initialization: "zero" });
  for (const tensor of (await engine.tensors()).filter(({ kind }) => kind === "parameter")) {
    const values = new Set(new Float64Array((await engine.read(tensor)).buffer));
    assert.deepEqual([...values], [/\bbn\d\.weight$|\.downsample\.1\.weight$/.test(tensor.name) ? 1 : 0], tensor.name);
  }
});

nativeTest("Engine.open() says why a GPU cannot be used, and does not fall back", async () => {
  if (buildInfo(loadLibrary()).cudaDevices > 0) return;
  await assert.rejects(
    Engine.open(TINY_MODEL, { device: "cuda" }),
    (error) =>
      error instanceof InputError && /^Cannot create the model: .*CUDA.*; use --device cpu/.test(error.message),
  );
});

nativeTest("Engine.open() takes no more threads than a container's quota allows, unless it is told to", async () => {
  // Deno counts the processors that the quota allows, libtorch all.
  const restore = Object.getOwnPropertyDescriptor(navigator, "hardwareConcurrency");
  Object.defineProperty(navigator, "hardwareConcurrency", { value: 1, configurable: true });
  try {
    for (const [threads, expected] of [[0, 1], [undefined, 1], [2, 2]] as const) {
      using engine = await Engine.open(TINY_MODEL, { device: "cpu", ...(threads !== undefined && { threads }) });
      assert.equal(engine.threads, expected);
    }
  } finally {
    if (restore === undefined) Reflect.deleteProperty(navigator, "hardwareConcurrency");
    else Object.defineProperty(navigator, "hardwareConcurrency", restore);
  }
});

nativeTest("Engine.threads is the option, or libtorch's choice", async () => {
  for (const threads of [1, 2, 3]) {
    using engine = await Engine.open(TINY_MODEL, { ...CPU, threads });
    assert.equal(engine.threads, threads);
  }
  using engine = await Engine.open(TINY_MODEL, { ...CPU, threads: 0 });
  assert(Number.isInteger(engine.threads) && engine.threads > 0, String(engine.threads));
});

nativeTest("Engine.threads 0 is libtorch's choice whatever former engines had", async () => {
  const choices = [];
  for (const threads of [1, 3]) {
    using former = await Engine.open(TINY_MODEL, { ...CPU, threads });
    using next = await Engine.open(TINY_MODEL, { ...CPU, threads: 0 });
    assert.equal(former.threads, threads);
    choices.push(next.threads);
  }
  assert.equal(choices[0], choices[1]);
});

nativeTest("Engines keep random states of their own", async () => {
  const losses = async (engine: Engine) => (await engine.trainStep([BATCH], { ...STEP, outputDropout: 0.5 })).loss;
  const alone: number[] = [];
  {
    using engine = await Engine.open(TINY_MODEL, { ...CPU, seed: 5 });
    for (let step = 0; step < 2; step++) alone.push(await losses(engine));
  }
  using one = await Engine.open(TINY_MODEL, { ...CPU, seed: 5 });
  const first = await losses(one);
  using other = await Engine.open(TINY_MODEL, { ...CPU, seed: 5 });
  assert.deepEqual([first, await losses(other), await losses(one)], [alone[0], alone[0], alone[1]]);
});

nativeTest("Engine.open() with fp32-strict is fp32 on a CPU", async () => {
  const losses = [];
  for (const precision of ["fp32", "fp32-strict"] as const) {
    using engine = await Engine.open(TINY_MODEL, { ...CPU, precision });
    assert.equal(engine.precision, precision);
    losses.push((await engine.trainStep([BATCH], STEP)).loss);
  }
  assert.equal(losses[0], losses[1]);
});

nativeTest("Engine.trainStep() does not change a frozen CNN or its statistics", async () => {
  using engine = await Engine.open(TINY_MODEL, CPU);
  const before = await digests(engine, MODEL_STATE, "resnet.");
  await engine.trainStep([BATCH], { ...STEP, trainableFrom: "none" });
  const after = await digests(engine, MODEL_STATE, "resnet.");
  assert.deepEqual(changed(before, after), ["resnet.fc.weight", "resnet.fc.bias"]);
});

nativeTest("Engine.trainStep() in bfloat16 stays near float32", async () => {
  const losses: number[] = [];
  for (const precision of ["fp32", "bf16"] as const) {
    using engine = await Engine.open(TINY_MODEL, { device: "cpu", precision });
    await fillModel(engine);
    let loss = 0;
    for (let step = 0; step < 20; step++) ({ loss } = await engine.trainStep([BATCH], STEP));
    losses.push(loss);
  }
  const [single = NaN, half = NaN] = losses;
  assert(Math.abs(half / single - 1) < 0.02, `${half} is not near ${single}`);
  assert.notEqual(single, half);
});

nativeTest("Decoding.step() gives the log-probabilities of the logits", async () => {
  for (const name of ["1u every", "4f every", "2f first", "4f first"] as const) {
    const { case: settings } = golden.cases[name];
    const model = modelSettings(settings);
    const batch = goldenBatch(name, settings);
    using engine = await Engine.open(model, CPU);
    await fillModel(engine);
    const logits = await logitsOf(engine, batch, model.vocabularySize);
    const features = await engine.encode(batch.images);
    using decoding = await engine.startDecoding(features);
    const rows = batch.imageOfRow.length;
    const same = Int32Array.from({ length: rows }, (_, row) => row);
    const k = model.vocabularySize;
    let parents = batch.imageOfRow;
    if (model.inject === "first") {
      await decoding.step(parents, null, 1);
      parents = same;
    }
    for (let step = 0; step < batch.inputsLength; step++) {
      const tokens = Int32Array.from(same, (row) => batch.inputs[row * batch.inputsLength + step] ?? -1);
      const next = await decoding.step(parents, tokens, k);
      parents = same;
      for (let row = 0; row < rows; row++) {
        const at = (row * batch.targetsLength + step) * k;
        const scores = logits.subarray(at, at + k);
        const total = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
        for (let rank = 0; rank < k; rank++) {
          const token = next.tokens[row * k + rank] ?? -1;
          const expected = (scores[token] ?? NaN) - total;
          assert(Math.abs((next.logProbabilities[row * k + rank] ?? NaN) - expected) < 1e-5);
        }
      }
    }
  }
});

nativeTest("Engine names invalid arguments", async () => {
  using engine = await Engine.open(TINY_MODEL, CPU);
  const wrong: [Partial<Batch>, RegExp][] = [
    [{ imageOfRow: BATCH.imageOfRow.map(() => 9) }, /image_of_row is 9, not within 0 to 3/],
    [{ inputs: BATCH.inputs.subarray(1) }, /inputs has \d+ elements/],
    [{ inputs: BATCH.inputs.map(() => 40) }, /inputs is 40/],
    [{ targets: BATCH.targets.map(() => -2) }, /targets is -2/],
    [{ targetsLength: BATCH.targetsLength + 1 }, /targets_length/],
  ];
  for (const [change, message] of wrong) {
    await assert.rejects(
      engine.trainStep([{ ...BATCH, ...change }], STEP),
      (error) => error instanceof EngineError && error.code === "INVALID_ARGUMENT" && message.test(error.message),
    );
  }
  await assert.rejects(engine.read({ name: "nothing", kind: "parameter", dtype: "F32", shape: [] }), /'nothing'/);
  await assert.rejects(engine.write("linear.bias", new Uint8Array(4)), /'linear.bias' has 320 bytes, not 4/);
});

nativeTest("Engine keeps the messages of simultaneous calls apart", async () => {
  using engine = await Engine.open(TINY_MODEL, CPU);
  const names = Array.from({ length: 20 }, (_, index) => `tensor${index}`);
  const errors = await Promise.allSettled(names.map((name) => engine.write(name, new Uint8Array(1))));
  errors.forEach((result, index) => {
    assert(result.status === "rejected" && String(result.reason).includes(`'${names[index]}'`));
  });
});

nativeTest("Engine and Decoding can be disposed twice, and refuse calls after that", async () => {
  const engine = await Engine.open(TINY_MODEL, CPU);
  const decoding = await engine.startDecoding(await engine.encode(BATCH.images));
  for (const disposable of [engine, engine, decoding, decoding]) disposable[Symbol.dispose]();
  await assert.rejects(engine.tensors(), /it is disposed/);
  await assert.rejects(decoding.step(new Int32Array(1), new Int32Array(1), 1), /is disposed/);
});

nativeTest("Engine disposed during calls is freed after they end", async () => {
  const engine = await Engine.open(TINY_MODEL, CPU);
  const steps = Array.from({ length: 5 }, () => engine.trainStep([BATCH], STEP));
  engine[Symbol.dispose]();
  assert.equal(liveHandles(), 1n);
  for (const { loss } of await Promise.all(steps)) assert(Number.isFinite(loss));
});

nativeTest("Engine.memory() returns libtorch's memory", async () => {
  using engine = await Engine.open(TINY_MODEL, CPU);
  await engine.trainStep([BATCH], STEP);
  const { inUse, peak, held } = await engine.memory();
  assert(inUse > 0 && peak >= inUse && held >= inUse, `${inUse} ${peak} ${held}`);
});
