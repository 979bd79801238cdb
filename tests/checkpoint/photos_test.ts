import assert from "node:assert/strict";
import { loadEncoderWeights } from "../../src/checkpoint/encoder_weights.ts";
import { findImagenetWeights, hasInstalledWeights, INSTALLED_WEIGHTS } from "../../src/checkpoint/imagenet_weights.ts";
import { openWeights, type WeightsFile } from "../../src/checkpoint/weights_file.ts";
import { ENCODERS } from "../../src/ffi/encoders.ts";
import { Engine } from "../../src/ffi/engine.ts";
import { decodeImage } from "../../src/images/decode_image.ts";
import golden from "../golden/photos.json" with { type: "json" };
import { TINY_MODEL } from "../support/native.ts";
import { nativeTest } from "../support/native_test_case.ts";
import { canRead } from "../support/test_data.ts";

async function floats(file: WeightsFile, name: string): Promise<Float32Array> {
  const tensor = file.tensors.get(name);
  assert(tensor !== undefined, `${name} is missing`);
  return new Float32Array((await tensor.read()).slice().buffer);
}

/** The classifier of the file of weights on top of an encoder's features. */
function logitsOf(features: Float32Array, weight: Float32Array, bias: Float32Array): Float64Array {
  return Float64Array.from(bias, (offset, row) => {
    const start = row * features.length;
    return features.reduce((sum, value, column) => sum + value * (weight[start + column] ?? NaN), offset);
  });
}

for (const encoder of ["efficientnet-lite0", "efficientnet-lite2"] as const) {
  const ignore = !canRead || !await hasInstalledWeights(encoder);

  nativeTest(`${encoder} with ImageNet's weights gives photos the class that PyTorch gives them`, async () => {
    const path = await findImagenetWeights(encoder, { folder: INSTALLED_WEIGHTS });
    const { width, blocks, imageSize } = ENCODERS[encoder];
    using engine = await Engine.open({ ...TINY_MODEL, encoder, encoderWidth: width, encoderBlocks: blocks }, {
      ...{ device: "cpu", precision: "fp32", initialization: "zero" },
    });
    const { skipped } = await loadEncoderWeights(engine, path);
    assert.deepEqual(skipped.toSorted(), ["_fc.bias", "_fc.weight"]);
    using file = await openWeights(path);
    const [weight, bias] = [await floats(file, "_fc.weight"), await floats(file, "_fc.bias")];
    for (const [name, expected] of Object.entries(golden[encoder])) {
      const bytes = await Deno.readFile(new URL(`../golden/photos/${name}`, import.meta.url));
      const pixels = await engine.resizeCrop(await decodeImage(bytes), imageSize, imageSize);
      const { values } = await engine.encode({ count: 1, height: imageSize, width: imageSize, pixels });
      const logits = logitsOf(values, weight, bias);
      const best = logits.indexOf(Math.max(...logits));
      assert.equal(best, expected.class, name);
      // Decoders differ by 1 in a color here and there.
      assert(Math.abs((logits[best] ?? NaN) - expected.logit) < 0.1, `${name}: ${logits[best]}, not ${expected.logit}`);
    }
  }, { ignore });
}
