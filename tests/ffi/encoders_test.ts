import assert from "node:assert/strict";
import { Engine } from "../../src/ffi/engine.ts";
import { stagesOf } from "../../src/ffi/encoders.ts";
import golden from "../golden/encoders.json" with { type: "json" };
import type { PixelBatch } from "./batches.ts";
import { changed, digests, mapTensor } from "./engine_state.ts";
import { integers } from "./formula.ts";
import { assertClose, assertSummary, BOUND, norm, type Summary, tensorsOf } from "./golden_numbers.ts";
import { fillModel, goldenBatch, type GoldenCase, modelSettings } from "../support/golden_batch.ts";
import { logitsOf } from "../support/test_abi.ts";
import { nativeTest } from "../support/native_test_case.ts";

interface Entry {
  readonly case: GoldenCase & { readonly height: number; readonly width: number };
  readonly features: Summary;
  readonly logits: Summary;
  readonly rows: number;
  readonly columns: number;
  readonly heat: Summary;
  readonly training: readonly {
    readonly trainableFrom: string;
    readonly loss: number;
    readonly gradientNorm: number;
    readonly gradients: Readonly<Record<string, Summary>>;
    readonly buffers: Readonly<Record<string, Summary>>;
  }[];
}

const cases: Record<string, Entry> = golden.cases;
const STEP = { optimizer: "adamw", learningRate: 1e-3, encoderLearningRate: 1e-3 } as const;

/** The batch of tests/golden/encoders.py. */
function batchOf(name: string, { case: settings }: Entry): PixelBatch {
  const { images: count, height, width } = settings;
  const pixels = Uint8Array.from(integers(`${name} pixels`, count * height * width * 3, 256));
  return { ...goldenBatch(name, settings), images: { count, height, width, pixels } };
}

/** The first image of a batch with its first caption. */
function firstOf({ images, inputs, inputsLength, targets, targetsLength }: PixelBatch): PixelBatch {
  const pixels = images.pixels.subarray(0, images.height * images.width * 3);
  return {
    images: { ...images, count: 1, pixels },
    imageOfRow: Int32Array.of(0),
    inputs: inputs.slice(0, inputsLength),
    inputsLength,
    targets: targets.slice(0, targetsLength),
    targetsLength,
  };
}

for (const [name, entry] of Object.entries(cases)) {
  const settings = modelSettings(entry.case);
  const { vocabularySize } = settings;

  nativeTest(`The encoder gives PyTorch's features and feature map: ${name}`, async () => {
    const batch = batchOf(name, entry);
    for (const [precision, bound] of [["fp64", BOUND], ["fp32", 1e-4]] as const) {
      using engine = await Engine.open(settings, { device: "cpu", precision, threads: 1, initialization: "zero" });
      await fillModel(engine, entry.case.model);
      const { values } = await engine.encode(batch.images);
      assertSummary(Float64Array.from(values), entry.features, Math.max(bound, 1e-6), `${precision} features`);
      const logits = await logitsOf(engine, batch, vocabularySize);
      assertSummary(logits, entry.logits, bound, `${precision} logits`);
      const { rows, columns, heat } = await engine.explain(firstOf(batch));
      assert.deepEqual([rows, columns], [entry.rows, entry.columns]);
      assertSummary(heat, entry.heat, bound, `${precision} heat`);
    }
  });

  for (const { trainableFrom, ...expected } of entry.training) {
    const stage = stagesOf(settings).find((each) => each === trainableFrom);
    assert(stage !== undefined);

    nativeTest(`The encoder trains as PyTorch's from ${stage} on: ${name}`, async () => {
      using engine = await Engine.open(settings, {
        device: "cpu",
        precision: "fp64",
        threads: 1,
        initialization: "zero",
      });
      await fillModel(engine, entry.case.model);
      const { loss, gradientNorm } = await engine.trainStep([batchOf(name, entry)], { ...STEP, trainableFrom: stage });
      assertClose(loss, expected.loss, BOUND * expected.loss, "loss");
      assertClose(gradientNorm, expected.gradientNorm, BOUND * expected.gradientNorm, "norm of all gradients");
      const gradients = await tensorsOf(engine, "gradient", "grad.");
      const buffers = await tensorsOf(engine, "buffer");
      if (name.startsWith("small")) {
        assert.deepEqual([...gradients.keys()].toSorted(), Object.keys(expected.gradients).toSorted());
        assert.deepEqual([...buffers.keys()].toSorted(), Object.keys(expected.buffers).toSorted());
      }
      for (const [tensor, summary] of Object.entries(expected.gradients)) {
        const values = gradients.get(tensor) ?? new Float64Array();
        if (summary.length > 0) assertSummary(values, summary, BOUND, `gradient of ${tensor}`);
        else assert(norm(values) < BOUND * gradientNorm, `gradient of ${tensor} is not 0`);
      }
      for (const [tensor, summary] of Object.entries(expected.buffers)) {
        assertSummary(buffers.get(tensor) ?? new Float64Array(), summary, BOUND, tensor);
      }
    });
  }
}

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
