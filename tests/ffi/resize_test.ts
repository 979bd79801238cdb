import assert from "node:assert/strict";
import { join } from "node:path";
import { Engine } from "../../src/ffi/engine.ts";
import type { RgbImage } from "../../src/images/rgb_image.ts";
import { ImageDecoders } from "../../src/images/image_decoders.ts";
import { drawnImage, samplePixels } from "../golden/drawn_image.ts";
import golden from "../golden/resize.json" with { type: "json" };
import { testData } from "../support/test_data.ts";
import { TINY_MODEL } from "../support/native.ts";
import { nativeTest } from "../support/native_test_case.ts";

const { shortSide, crop, drawnSamples, imageSamples } = golden;

async function resize(image: RgbImage): Promise<RgbImage> {
  using engine = await Engine.open(TINY_MODEL, { device: "cpu" });
  return { width: crop, height: crop, pixels: await engine.resizeCrop(image, shortSide, crop) };
}

function differences(image: RgbImage, samples: number, expected: string): number[] {
  const pixels = Uint8Array.fromBase64(expected);
  const actual = samplePixels(image.pixels, samples);
  assert.equal(actual.length, pixels.length);
  return Array.from(actual, (value, index) => Math.abs(value - (pixels[index] ?? NaN)));
}

nativeTest("Engine.resizeCrop() is within 1 of PIL's Resize and CenterCrop of the same pixels", async () => {
  for (const { width, height, croppedSample } of golden.drawings) {
    const cropped = await resize(drawnImage(width, height));
    assert(Math.max(...differences(cropped, drawnSamples, croppedSample)) <= 1, `${width} x ${height}`);
  }
});

nativeTest("Engine.resizeCrop() stretches an image within 1 of PIL's Resize to a square", async () => {
  using engine = await Engine.open(TINY_MODEL, { device: "cpu" });
  for (const { width, height, stretchedSample } of golden.drawings) {
    const pixels = await engine.resizeCrop(drawnImage(width, height), crop, crop, "stretch");
    const stretched = { width: crop, height: crop, pixels };
    assert(Math.max(...differences(stretched, drawnSamples, stretchedSample)) <= 1, `${width} x ${height}`);
  }
});

nativeTest("decoded and resized photos are within 1 of PIL's", async () => {
  const folder = join(testData ?? "", "flickr8k-mini", "Images");
  const files = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.endsWith(".jpg"))
    .toSorted();
  using decoders = new ImageDecoders({ count: 1 });
  for (const { index, croppedSample } of golden.images) {
    const cropped = await decoders.decodeThen({ path: join(folder, files[index] ?? "") }, resize);
    assert(Math.max(...differences(cropped, imageSamples, croppedSample)) <= 1, `image ${index}`);
  }
}, { ignore: testData === undefined });

nativeTest("Engine.resizeCrop() refuses a strip that would be scaled up without limit", async () => {
  using engine = await Engine.open(TINY_MODEL, { device: "cpu" });
  const strip = { width: 1000, height: 10, pixels: new Uint8Array(30_000) };
  await assert.rejects(engine.resizeCrop(strip, 256, 224), /64 times/);
});
