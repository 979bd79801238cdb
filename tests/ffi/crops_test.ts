import assert from "node:assert/strict";
import type { CroppedImages } from "../../src/ffi/batch.ts";
import { Engine } from "../../src/ffi/engine.ts";
import { EngineError } from "../../src/ffi/status.ts";
import type { TrainStepOptions } from "../../src/ffi/settings.ts";
import golden from "../golden/model.json" with { type: "json" };
import { digests } from "./engine_state.ts";
import { fillModel, goldenBatch, modelSettings } from "../support/golden_batch.ts";
import { nativeTest } from "../support/native_test_case.ts";

const NAME = "1u every";
const settings = golden.cases[NAME].case;
const model = modelSettings(settings);
const batch = goldenBatch(NAME, settings);

const STEP: TrainStepOptions = {
  optimizer: "adam",
  trainableFrom: "conv1",
  learningRate: 1e-3,
  encoderLearningRate: 1e-3,
  batchNorm: "batch",
};

/** A crop of each image by rule: at the first corner, in the center and at the last corner, some flipped. */
function cropped(side: number): CroppedImages {
  const { images } = batch;
  const [down, right] = [images.height - side, images.width - side];
  const crops = Array.from({ length: images.count }, (_, image) => {
    const [fraction, flipped] = [image % 3 / 2, Math.floor(image / 3) % 2];
    return [Math.floor(down * fraction), Math.floor(right * (1 - fraction)), image === 0 ? 1 : flipped];
  });
  return { ...images, crop: side, crops: Int32Array.from(crops.flat()) };
}

/** The same crops, pixel by pixel. */
function cut({ count, height, width, pixels, crop: side, crops }: CroppedImages) {
  const parts = new Uint8Array(count * side * side * 3);
  let to = 0;
  for (let image = 0; image < count; image++) {
    const [top = NaN, left = NaN, flipped] = crops.subarray(3 * image);
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const column = left + (flipped === 1 ? side - 1 - x : x);
        const from = ((image * height + top + y) * width + column) * 3;
        for (let channel = 0; channel < 3; channel++) parts[to++] = pixels[from + channel] ?? NaN;
      }
    }
  }
  return { count, height: side, width: side, pixels: parts };
}

for (const precision of ["fp32", "bf16"] as const) {
  nativeTest(
    `Engine.trainStep() takes the same step on crops as on images cropped beforehand, ${precision}`,
    async () => {
      const images = cropped(batch.images.height - 9);
      const trained = [];
      for (const seen of [images, cut(images), batch.images]) {
        using engine = await Engine.open(model, { device: "cpu", precision });
        await fillModel(engine);
        const result = await engine.trainStep([{ ...batch, images: seen }], STEP);
        trained.push({ result, digests: await digests(engine, ["parameter", "buffer"], "") });
      }
      const [crops, parts, whole] = trained;
      assert.deepEqual(crops, parts);
      assert.notDeepEqual(crops, whole);
    },
  );
}

nativeTest("Engine.evaluateStep() sees whole images alone", async () => {
  using engine = await Engine.open(model, { device: "cpu", precision: "fp32" });
  const given = { ...batch, images: cropped(batch.images.height - 1) };
  await assert.rejects(
    engine.evaluateStep(given),
    (error) => error instanceof EngineError && /crop/.test(error.message),
  );
});
