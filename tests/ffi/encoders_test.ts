import assert from "node:assert/strict";
import { Engine } from "../../src/ffi/engine.ts";
import { stagesOf } from "../../src/ffi/encoders.ts";
import { batchOf, cases, STEP, testEncoder } from "./encoder_cases.ts";
import { changed, digests, mapTensor } from "./engine_state.ts";
import { assertClose, tensorsOf } from "./golden_numbers.ts";
import { modelSettings } from "../support/golden_batch.ts";
import { nativeTest } from "../support/native_test_case.ts";

for (const [name, entry] of Object.entries(cases)) if (name.startsWith("small")) testEncoder(name, entry);

for (const name of ["small resnet18, odd", "small efficientnet-lite2, odd"]) {
  const entry = cases[name];
  assert(entry !== undefined);
  const batch = batchOf(name, entry);

  nativeTest(`The encoder encodes with its new weights and statistics after a step: ${name}`, async () => {
    using engine = await Engine.open(modelSettings(entry.case), {
      device: "cpu",
      precision: "fp32",
      threads: 1,
      seed: 1,
    });
    using precise = await Engine.open(modelSettings(entry.case), { device: "cpu", precision: "fp64", threads: 1 });
    const before = await engine.encode(batch.images);
    const stages = stagesOf(modelSettings(entry.case));
    for (const trainableFrom of [stages[0], stages.at(-1)]) {
      assert(trainableFrom !== undefined);
      for (const batchNorm of ["batch", "frozen"] as const) {
        await engine.trainStep([batch], { ...STEP, trainableFrom, batchNorm });
        const { values } = await engine.encode(batch.images);
        await copyModel(engine, precise);
        const expected = (await precise.encode(batch.images)).values;
        const largest = Math.max(...expected);
        values.forEach((value, index) =>
          assertClose(value, expected[index] ?? NaN, 1e-4 * largest, `feature ${index}`)
        );
      }
    }
    assert.notDeepEqual((await engine.encode(batch.images)).values, before.values);
  });

  nativeTest(`Training leaves the stages before trainableFrom as they are: ${name}`, async () => {
    using engine = await Engine.open(modelSettings(entry.case), {
      device: "cpu",
      precision: "fp32",
      threads: 1,
      seed: 1,
    });
    const before = await digests(engine, ["parameter", "buffer"]);
    await engine.trainStep([batch], { ...STEP, trainableFrom: "none" });
    const after = changed(before, await digests(engine, ["parameter", "buffer"]));
    assert.deepEqual(after.filter((tensor) => /^(resnet|efficientnet)\.(?!_?fc\.)/.test(tensor)), []);
    assert(after.some((tensor) => /^(resnet|efficientnet)\._?fc\.weight$/.test(tensor)));
  });
}

for (
  const [name, weight] of [
    ["small resnet18, odd", "resnet.layer1.0.conv1.weight"],
    ["small efficientnet-lite2, odd", "efficientnet._blocks.1._depthwise_conv.weight"],
  ] as const
) {
  nativeTest(
    `The encoder of a model that has diverged gives NaN, and no number that looks sound: ${name}`,
    async () => {
      const entry = cases[name];
      assert(entry !== undefined);
      for (const precision of ["fp32", "bf16"] as const) {
        using engine = await Engine.open(modelSettings(entry.case), { device: "cpu", precision, threads: 1 });
        await mapTensor(engine, weight, () => NaN);
        const { values } = await engine.encode(batchOf(name, entry).images);
        assert(values.every(Number.isNaN), precision);
      }
    },
  );
}

nativeTest("Engine.trainStep() refuses a stage that the encoder does not have", async () => {
  const name = "small efficientnet-lite2, odd";
  const entry = cases[name];
  assert(entry !== undefined);
  using engine = await Engine.open(modelSettings(entry.case), { device: "cpu", precision: "fp32" });
  await assert.rejects(engine.trainStep([batchOf(name, entry)], { ...STEP, trainableFrom: "layer4" }), {
    name: "RangeError",
    message: "Cannot train from 'layer4': the encoder's stages are stem, stage1, stage2, stage3, stage4, stage5, " +
      "stage6, stage7, head, none",
  });
});

/** Writes a float32 engine's parameters and buffers into a float64 one. */
async function copyModel(from: Engine, to: Engine): Promise<void> {
  for (const kind of ["parameter", "buffer"] as const) {
    const counters = (await from.tensors()).filter(({ dtype }) => dtype === "I64").map(({ name }) => name);
    for (const [name, values] of await tensorsOf(from, kind)) {
      if (!counters.includes(name)) await to.write(name, new Uint8Array(values.buffer));
    }
  }
}

nativeTest("The gradients of depthwise convolutions in bfloat16 are near those in float32", async () => {
  const name = "small efficientnet-lite2, odd";
  const entry = cases[name];
  assert(entry !== undefined);
  const gradients = [];
  for (const precision of ["fp32", "bf16"] as const) {
    using engine = await Engine.open(modelSettings(entry.case), { device: "cpu", precision, threads: 1, seed: 1 });
    await engine.trainStep([batchOf(name, entry)], { ...STEP, batchNorm: "frozen" });
    gradients.push(await tensorsOf(engine, "gradient", "grad."));
  }
  const [single, half] = gradients;
  const depthwise = [...single?.keys() ?? []].filter((tensor) => tensor.endsWith("_depthwise_conv.weight"));
  assert(depthwise.length > 0);
  for (const tensor of depthwise) {
    const [one, other] = [single?.get(tensor) ?? [], half?.get(tensor) ?? []];
    const product = (a: ArrayLike<number>, b: ArrayLike<number>) =>
      Array.from(a).reduce((sum, value, index) => sum + value * (b[index] ?? NaN), 0);
    const cosine = product(one, other) / Math.sqrt(product(one, one) * product(other, other));
    assert(cosine > 0.98 && cosine < 1, `${tensor}: ${cosine}`);
  }
});
