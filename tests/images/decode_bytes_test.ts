import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { crc32, inflateSync } from "node:zlib";
import { ImageDecoders } from "../../src/images/image_decoders.ts";
import { ImageError } from "../../src/images/image_error.ts";
import type { DecodeImageOptions, RgbImage } from "../../src/images/rgb_image.ts";
import kinds from "../golden/image_kinds.json" with { type: "json" };
import formats from "../golden/image_formats.json" with { type: "json" };
import golden from "../golden/images.json" with { type: "json" };
import { canRead } from "../support/test_data.ts";

// libvips is read from the disk.
const reads = { ignore: !canRead };
const files = { ...golden.images, ...kinds.images, ...formats.images };
type Name = keyof typeof files;

function fileOf(name: Name): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(files[name].file);
}

async function decode(bytes: Uint8Array<ArrayBuffer>, options: DecodeImageOptions = {}): Promise<RgbImage> {
  using decoders = new ImageDecoders({ count: 1 });
  return await decoders.decode({ bytes }, options);
}

/** Decodes each file, and expects an error that matches the pattern beside it. */
async function rejects(
  cases: readonly (readonly [Uint8Array, RegExp])[],
  options: DecodeImageOptions = {},
): Promise<void> {
  using decoders = new ImageDecoders({ count: 2 });
  await Promise.all(cases.map(([bytes, pattern]) =>
    assert.rejects(
      decoders.decode({ bytes: new Uint8Array(bytes) }, options),
      (error) =>
        error instanceof ImageError && error.message.startsWith("Cannot decode image: ") && pattern.test(error.message),
      `${pattern}`,
    )
  ));
}

function inflate(deflated: string): Uint8Array {
  return new Uint8Array(inflateSync(Uint8Array.fromBase64(deflated)));
}

Deno.test("images of every kind have Pillow's pixels, transparency blended over white", reads, async () => {
  using decoders = new ImageDecoders({ count: 2 });
  for (const [name, { file, width, height, deflatedPixels }] of Object.entries({ ...golden.images, ...kinds.images })) {
    const image = await decoders.decode({ bytes: Uint8Array.fromBase64(file) });
    assert.deepEqual([image.width, image.height], [width, height], name);
    assert.ok(Buffer.from(image.pixels).equals(inflate(deflatedPixels)), name);
  }
});

Deno.test("without color management and alpha, images have the pixels of Pillow's convert('RGB')", reads, async () => {
  using decoders = new ImageDecoders({ count: 2 });
  const options = { colorManagement: false, alpha: "drop" } as const;
  for (const [name, { file, width, height, converted }] of Object.entries(formats.images)) {
    const image = await decoders.decode({ bytes: Uint8Array.fromBase64(file) }, options);
    assert.deepEqual([image.width, image.height], [width, height], name);
    const expected = inflate(converted);
    const distances = image.pixels.map((value, index) => Math.abs(value - (expected[index] ?? NaN)));
    // Pillow converts AVIF and HEIC from YCbCr by other libraries.
    const mean = distances.reduce((sum, value) => sum + value, 0) / distances.length;
    if (/avif|heic/.test(name)) assert.ok(mean < 2, `${name}: mean difference ${mean}`);
    else assert.ok(Math.max(...distances) === 0, `${name}: largest difference ${Math.max(...distances)}`);
  }
});

Deno.test("color management turns Display P3 and CMYK profiles into sRGB as LittleCMS does", reads, async () => {
  using decoders = new ImageDecoders({ count: 2 });
  for (const [name, { file, managed }] of Object.entries(formats.profiles)) {
    const bytes = Uint8Array.fromBase64(file);
    const image = await decoders.decode({ bytes: bytes.slice() });
    const expected = inflate(managed);
    const largest = Math.max(...image.pixels.map((value, index) => Math.abs(value - (expected[index] ?? NaN))));
    assert.ok(largest <= 2, `${name}: largest difference ${largest}`);
    const plain = await decoders.decode({ bytes }, { colorManagement: false });
    assert.ok(!Buffer.from(plain.pixels).equals(expected), `${name}: the profile changes its colors`);
  }
});

Deno.test("an image stays as stored if its orientation is ignored", reads, async () => {
  using decoders = new ImageDecoders({ count: 2 });
  const decode = (bytes: Uint8Array<ArrayBuffer>, options = {}) => decoders.decode({ bytes }, options);
  for (const kind of ["jpg", "png"] as const) {
    const upright = await decode(fileOf(`turned-1.${kind}`));
    for (const turn of [3, 6, 8] as const) {
      const name: Name = `turned-${turn}.${kind}`;
      assert.deepEqual(await decode(fileOf(name), { applyExif: false }), upright);
      assert.notDeepEqual(await decode(fileOf(name)), upright);
    }
  }
});

Deno.test(
  "a JPEG is decoded at half, a quarter or an eighth of its size if its short side stays long enough",
  reads,
  async () => {
    using decoders = new ImageDecoders({ count: 1 });
    const decode = (bytes: Uint8Array<ArrayBuffer>, options: DecodeImageOptions) => decoders.decode({ bytes }, options);
    const size = async (minShortSide: number) => {
      const { width, height, original } = await decode(fileOf("rgb-420.jpg"), { minShortSide });
      return [width, height, original];
    };
    const original = { width: 45, height: 35 };
    assert.deepEqual(await size(0), [45, 35, undefined]);
    assert.deepEqual(await size(18), [45, 35, undefined]);
    assert.deepEqual(await size(17), [22, 17, original]);
    assert.deepEqual(await size(8), [11, 8, original]);
    assert.deepEqual(await size(4), [5, 4, original]);
    const { width, original: none } = await decode(fileOf("rgb.png"), { minShortSide: 4 });
    assert.deepEqual([width, none], [45, undefined]);
  },
);

Deno.test("a JPEG cut anywhere is rejected", reads, async () => {
  await rejects((["gray.jpg", "rgb-420.jpg", "progressive.jpg", "cmyk.jpg"] as const).flatMap((name) => {
    const file = fileOf(name);
    const cuts = [0.1, 0.3, 0.5, 0.7, 0.9, 0.99].map((share) => file.subarray(0, Math.floor(file.length * share)));
    return [...cuts, file.subarray(0, -1)].map((cut) => [cut, /the JPEG ends too early/] as const);
  }));
});

Deno.test("a camera's JPEG is its first picture, whatever follows the last scan", reads, async () => {
  const names = ["gray.jpg", "rgb-420.jpg", "progressive.jpg", "restarts.jpg", "ycck.jpg"] as const;
  const trailers = {
    "another picture": [0xff, 0xd9, ...fileOf("rgb-444.jpg")],
    "a trailer after the end marker": [0xff, 0xd9, ...new TextEncoder().encode("SEFT".repeat(9))],
    "zeros for the end marker": Array.from({ length: 64 }, () => 0),
    "a trailer for the end marker": [...new TextEncoder().encode("SEFT".repeat(9))],
  };
  using decoders = new ImageDecoders({ count: 2 });
  for (const name of names) {
    const whole = fileOf(name);
    assert.deepEqual([...whole.subarray(-2)], [0xff, 0xd9]);
    for (const [what, trailer] of Object.entries(trailers)) {
      // Without its end marker, a progressive JPEG may lack scans; Pillow refuses it, too.
      if (name === "progressive.jpg" && trailer[0] !== 0xff) continue;
      const image = await decoders.decode({ bytes: Uint8Array.of(...whole.subarray(0, -2), ...trailer) });
      const { width, height, deflatedPixels } = golden.images[name];
      assert.deepEqual([image.width, image.height], [width, height], `${name}, ${what}`);
      assert.ok(Buffer.from(image.pixels).equals(inflate(deflatedPixels)), `${name}, ${what}`);
    }
  }
});

Deno.test("a PNG cut before the end of its pixels is rejected", reads, async () => {
  await rejects((["rgb.png", "palette.png", "interlaced.png"] as const).flatMap((name) => {
    const file = fileOf(name);
    const cuts = [0.05, 0.3, 0.5, 0.7, 0.9].map((share) => file.subarray(0, Math.floor(file.length * share)));
    return cuts.map((cut) => [cut, /the PNG ends too early/] as const);
  }));
});

Deno.test("damaged files are rejected, and files that are no images are named", reads, async () => {
  const png = fileOf("rgb.png");
  png[png.length >> 1] = (png[png.length >> 1] ?? 0) ^ 0x55;
  await rejects([
    [png, /the PNG is damaged or of an unsupported kind, save it again/],
    [new TextEncoder().encode("Two dogs play in the snow ."), /the file is text/],
    [new TextEncoder().encode("BM\x46\0\0\0\0\0\0\0\x36"), /the file is a BMP image, convert it to JPEG or PNG$/],
  ]);
});

/** A PNG that claims another size. */
function claiming(width: number, height = 35): Uint8Array<ArrayBuffer> {
  const file = fileOf("rgb.png");
  new DataView(file.buffer).setUint32(16, width);
  new DataView(file.buffer).setUint32(20, height);
  // The checksum of its header.
  const sum = crc32(file.subarray(12, 29));
  new DataView(file.buffer).setUint32(29, sum);
  return file;
}

Deno.test("images of too many pixels are rejected before they are decoded", reads, async () => {
  await rejects([[fileOf("rgb.png"), /45 x 35 pixels, scale it down to at most 1574 pixels, or raise --max-pixels$/]], {
    maxPixels: 1574,
  });
  await decode(fileOf("rgb.png"), { maxPixels: 1575 });
  await rejects([
    [claiming(900_000), /900000 x 35 pixels, crop it/],
    [claiming(900_000, 900_000), /900000 x 900000 pixels, scale it down/],
    [claiming(35 * 64 + 1), /2241 x 35 pixels, crop it/],
    [claiming(35 * 64), /the PNG (?:is damaged|ends too early)/],
  ]);
});

/** A JPEG's header alone: progressive, three components of full size. */
function progressiveHeader(width: number, height: number): Uint8Array {
  const [high, low] = [(value: number) => value >> 8, (value: number) => value & 255];
  const frame = [8, high(height), low(height), high(width), low(width), 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0];
  const scan = [0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0];
  return Uint8Array.from([0xff, 0xd8, 0xff, 0xc2, 0, 17, ...frame, 0xff, 0xda, ...scan, 0xff, 0xd9]);
}

Deno.test("images that take too much memory are rejected before they are decoded", reads, async () => {
  await rejects([[
    progressiveHeader(7000, 7000),
    /the JPEG has 7000 x 7000 pixels and takes 589 MB .* more than 400 MB, scale it down to at most 333\d{5} pixels, or raise --max-pixels$/,
  ]]);
});

Deno.test("a decoder works on after failures", reads, async () => {
  using decoders = new ImageDecoders({ count: 1 });
  const names: Name[] = ["rgb.png", "gray.jpg", "rgb-444.jpg", "interlaced.png"];
  const alone = await Promise.all(names.map((name) => decode(fileOf(name))));
  const damaged = fileOf("rgb-420.jpg").slice(0, 700);
  const results = await Promise.allSettled(
    names.flatMap((name) => [decoders.decode({ bytes: damaged }), decoders.decode({ bytes: fileOf(name) })]),
  );
  for (const [index, image] of alone.entries()) {
    assert.deepEqual(results[2 * index + 1], { status: "fulfilled", value: image });
  }
});
