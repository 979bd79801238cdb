import assert from "node:assert/strict";
import { unzlibSync } from "fflate";
import { decodeImage } from "../../src/images/decode_image.ts";
import { readImageHeader } from "../../src/images/image_header.ts";
import { ImageError } from "../../src/images/image_error.ts";
import golden from "../golden/images.json" with { type: "json" };
import { differences } from "./image_differences.ts";

type Name = keyof typeof golden.images;

function fileOf(name: Name): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(golden.images[name].file);
}

function rejects(bytes: Uint8Array, pattern: RegExp, options = {}): Promise<void> {
  return assert.rejects(
    decodeImage(bytes, options),
    (error) =>
      error instanceof ImageError && error.message.startsWith("Cannot decode image: ") && pattern.test(error.message),
  );
}

for (const [name, { file, width, height, deflatedPixels }] of Object.entries(golden.images)) {
  Deno.test(`decodeImage() decodes ${name} as Pillow does`, async () => {
    const image = await decodeImage(Uint8Array.fromBase64(file));
    assert.deepEqual([image.width, image.height], [width, height]);
    const { mean, largest } = differences(image.pixels, unzlibSync(Uint8Array.fromBase64(deflatedPixels)));
    if (name.endsWith(".jpg")) assert.ok(mean <= 0.5, `mean difference ${mean}`);
    else assert.ok(largest <= (/alpha|transparent/.test(name) ? 1 : 0), `largest difference ${largest}`);
  });
}

Deno.test("decodeImage() rejects a JPEG cut anywhere", async () => {
  for (const name of ["gray.jpg", "rgb-420.jpg", "progressive.jpg", "cmyk.jpg"] as const) {
    const file = fileOf(name);
    for (const share of [0.1, 0.3, 0.5, 0.7, 0.9, 0.99]) {
      await rejects(file.subarray(0, Math.floor(file.length * share)), /the JPEG ends too early/);
    }
    await rejects(file.subarray(0, -1), /the JPEG ends too early/);
    const halfZeros = file.slice();
    halfZeros.fill(0, file.length / 2);
    await rejects(halfZeros, /the JPEG ends too early/);
  }
});

Deno.test("decodeImage() rejects a PNG cut before the end of its pixels", async () => {
  for (const name of ["rgb.png", "palette.png", "interlaced.png"] as const) {
    const file = fileOf(name);
    for (const share of [0.05, 0.3, 0.5, 0.7, 0.9]) {
      await rejects(file.subarray(0, Math.floor(file.length * share)), /the PNG ends too early/);
    }
  }
});

Deno.test("decodeImage() rejects damaged files", async () => {
  const png = fileOf("rgb.png");
  png[png.length >> 1] = (png[png.length >> 1] ?? 0) ^ 0x55;
  await rejects(png, /the PNG is damaged/);
  const jpeg = fileOf("rgb-420.jpg");
  jpeg.fill(0xff, readImageHeader(jpeg).end + 14, readImageHeader(jpeg).end + 60);
  await rejects(jpeg, /the JPEG is damaged/);
});

Deno.test("decodeImage() names the format of a file that is not an image", async () => {
  await rejects(new TextEncoder().encode("Two dogs play in the snow ."), /the file is text/);
});

Deno.test("decodeImage() rejects images of too many pixels before it decodes them", async () => {
  await rejects(fileOf("rgb.png"), /45 x 35 pixels, scale it down to at most 1574 pixels, or raise --max-pixels$/, {
    maxPixels: 1574,
  });
  await decodeImage(fileOf("rgb.png"), { maxPixels: 1575 });
  const huge = fileOf("rgb.png");
  new DataView(huge.buffer).setUint32(16, 0xffffffff);
  await rejects(huge, /4294967295 x 35 pixels/);
  const strip = fileOf("rgb.png");
  new DataView(strip.buffer).setUint32(16, 35 * 64 + 1);
  await rejects(strip, /2241 x 35 pixels, crop it/);
  new DataView(strip.buffer).setUint32(16, 35 * 64);
  await rejects(strip, /the PNG is damaged/);
});

/** A JPEG's header alone: progressive, three components of full size. */
function progressiveHeader(width: number, height: number): Uint8Array {
  const [high, low] = [(value: number) => value >> 8, (value: number) => value & 255];
  const frame = [8, high(height), low(height), high(width), low(width), 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0];
  return Uint8Array.from([0xff, 0xd8, 0xff, 0xc2, 0, 17, ...frame, 0xff, 0xda, 0, 6, 1, 1, 0, 0, 0xff, 0xd9]);
}

Deno.test("decodeImage() rejects images that take too much memory before it decodes them", async () => {
  await rejects(
    progressiveHeader(7000, 7000),
    /progressive JPEG has 7000 x 7000 pixels and takes 736 MB .* more than 400 MB, scale it down to at most 266\d{5} pixels, or raise --max-pixels$/,
  );
  await rejects(progressiveHeader(70, 70), /the JPEG is damaged/);
});

Deno.test("decodeImage() decodes after failures, and concurrent calls do not interfere", async () => {
  const names: Name[] = ["rgb.png", "gray.jpg", "rgb-444.jpg", "interlaced.png"];
  const damaged = fileOf("rgb-420.jpg").subarray(0, 700);
  const alone = await Promise.all(names.map((name) => decodeImage(fileOf(name))));
  const results = await Promise.allSettled(
    names.flatMap((name) => [decodeImage(damaged), decodeImage(fileOf(name))]),
  );
  for (const [index, image] of alone.entries()) {
    assert.deepEqual(results[2 * index + 1], { status: "fulfilled", value: image });
  }
});
