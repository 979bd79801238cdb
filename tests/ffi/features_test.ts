import assert from "node:assert/strict";
import { Engine } from "../../src/ffi/engine.ts";
import type { TrainStepOptions } from "../../src/ffi/settings.ts";
import golden from "../golden/model.json" with { type: "json" };
import { changed, digests } from "./engine_state.ts";
import { fillModel, goldenBatch, modelSettings } from "../support/golden_batch.ts";
import { changes, tensorsOf } from "./golden_numbers.ts";
import { logitsOf } from "../support/test_abi.ts";
import { nativeTest } from "../support/native_test_case.ts";

const STEP: TrainStepOptions = {
  optimizer: "adamw",
  trainableFrom: "none",
  learningRate: 1e-3,
  encoderLearningRate: 1e-3,
  weightDecay: 0.01,
  encoderWeightDecay: 0.01,
  outputDropout: 0.3,
};

function largestDifference(left: Float64Array, right: Float64Array): number {
  return left.reduce((largest, value, index) => Math.max(largest, Math.abs(value - (right[index] ?? NaN))), 0);
}

for (const name of ["1u every", "4f first"] as const) {
  const settings = golden.cases[name].case;
  const model = modelSettings(settings);
  const pixels = goldenBatch(name, settings);

  for (const [precision, bound] of [["fp32", 1e-5], ["bf16", 0]] as const) {
    nativeTest(`Engine gives the same results from features as from pixels: ${name}, ${precision}`, async () => {
      using engine = await Engine.open(model, { device: "cpu", precision });
      await fillModel(engine);
      const features = { ...pixels, images: await engine.encode(pixels.images) };
      const ofPixels = await engine.evaluateStep(pixels);
      const ofFeatures = await engine.evaluateStep(features);
      assert.equal(ofFeatures.tokens, ofPixels.tokens);
      assert(Math.abs(ofFeatures.loss - ofPixels.loss) <= bound);
      const logits = [
        await logitsOf(engine, pixels, model.vocabularySize),
        await logitsOf(engine, features, model.vocabularySize),
      ] as const;
      assert(largestDifference(...logits) <= bound);
    });
  }

  nativeTest(`Engine.trainStep() takes the same step on features as on pixels with a frozen CNN: ${name}`, async () => {
    const trained = [];
    for (const fromFeatures of [true, false]) {
      using engine = await Engine.open(model, { device: "cpu", precision: "fp32" });
      await fillModel(engine);
      const before = await digests(engine, ["parameter", "buffer"], "resnet.");
      const batch = fromFeatures ? { ...pixels, images: await engine.encode(pixels.images) } : pixels;
      const steps = [];
      for (let step = 0; step < 3; step++) steps.push(await engine.trainStep([batch], STEP));
      const after = await digests(engine, ["parameter", "buffer"], "resnet.");
      assert.deepEqual(changed(before, after), ["resnet.fc.weight", "resnet.fc.bias"]);
      trained.push({ steps, parameters: await tensorsOf(engine, "parameter") });
    }
    const [features, pixel] = trained;
    assert(features !== undefined && pixel !== undefined);
    for (const [index, { loss, gradientNorm }] of features.steps.entries()) {
      assert(Math.abs(loss - (pixel.steps[index]?.loss ?? NaN)) < 1e-5);
      assert(Math.abs(gradientNorm - (pixel.steps[index]?.gradientNorm ?? NaN)) < 1e-5);
    }
    for (const [tensor, change] of changes(features.parameters, pixel.parameters)) {
      assert(change.every((value) => Math.abs(value) < 1e-5), tensor);
    }
  });
}

nativeTest("Engine.trainStep() refuses features if the CNN is trainable", async () => {
  const settings = golden.cases["1u every"].case;
  using engine = await Engine.open(modelSettings(settings), { device: "cpu" });
  const batch = goldenBatch("1u every", settings);
  const features = { ...batch, images: await engine.encode(batch.images) };
  for (const trainableFrom of ["conv1", "layer4"] as const) {
    await assert.rejects(engine.trainStep([features], { ...STEP, trainableFrom }), /features are given/);
  }
  const none = { ...batch, images: { count: batch.images.count, values: new Float32Array() } };
  await assert.rejects(engine.evaluateStep(none), /neither pixels nor features are given/);
});
