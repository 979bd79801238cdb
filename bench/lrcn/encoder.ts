/**
 * Encoding of images, or training steps of the whole captioner, on one batch of random images; bench/contender.ts runs this.
 *
 *     encoder.ts '{"encoder": name, "train": false, "precision": "fp32" or "bf16", "device": "cpu", "batchSize": 16, "steps": 3}'
 *
 * It answers with {"seconds", "images"}.
 *
 * @module
 */

import type { Batch, Images } from "../../src/ffi/batch.ts";
import { type EncoderName, ENCODERS } from "../../src/ffi/encoders.ts";
import { Engine } from "../../src/ffi/engine.ts";
import { answer } from "../contender.ts";

const { encoder, train, precision, device, batchSize: count, steps } = JSON.parse(Deno.args[0] ?? "{}");
const [captions, words, vocabularySize] = [5, 12, 3000];
const name: EncoderName = encoder;
const { width, blocks, imageSize: side } = ENCODERS[name];
using engine = await Engine.open({
  ...{ vocabularySize, embedSize: 512, hiddenSize: 512, languageLayers: 0, fusionLayers: 1, inject: "every" },
  ...{ encoder: name, encoderWidth: width, encoderBlocks: blocks },
}, { device, precision, seed: 1 });

const random = (length: number, below: number) => Int32Array.from({ length }, () => Math.floor(below * Math.random()));
const rows = count * captions;
const batch: Batch & { readonly images: Images } = {
  images: { count, height: side, width: side, pixels: Uint8Array.from(random(count * side * side * 3, 256)) },
  imageOfRow: Int32Array.from({ length: rows }, (_, row) => Math.floor(row / captions)),
  ...{ inputs: random(rows * (words + 1), vocabularySize), inputsLength: words + 1 },
  ...{ targets: random(rows * (words + 1), vocabularySize), targetsLength: words + 1 },
};

async function step(): Promise<void> {
  if (!train) return void await engine.encode(batch.images);
  const rates = { learningRate: 1e-3, encoderLearningRate: 1e-3, maxGradientNorm: 5 };
  await engine.trainStep([batch], { optimizer: "adamw", ...rates });
}

for (let warmUp = 0; warmUp < 2; warmUp++) await step();
await answer(async () => {
  const start = performance.now();
  for (let done = 0; done < steps; done++) await step();
  return { seconds: (performance.now() - start) / 1000, images: count * steps };
});
