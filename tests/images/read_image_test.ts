import assert from "node:assert/strict";
import { join } from "node:path";
import { decodeImage } from "../../src/images/decode_image.ts";
import { ImageError } from "../../src/images/image_error.ts";
import { readImage, readImageWithin } from "../../src/images/read_image.ts";
import { samplePixels } from "../golden/drawn_image.ts";
import images from "../golden/images.json" with { type: "json" };
import golden from "../golden/resize.json" with { type: "json" };
import { canRead, canWrite, testData } from "../support/test_data.ts";

const files = { ignore: !canRead || !canWrite };

Deno.test("readImage() reports the path and the fault of the file", files, async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "dog.jpg");
    const rejects = (file: string, pattern: RegExp) =>
      assert.rejects(readImage({ path: file }), (error) => error instanceof ImageError && pattern.test(error.message));
    await rejects(path, /^Cannot decode image '.*dog\.jpg': there is no such file or folder, check the path$/);
    await rejects(folder, /it is a folder, give an image file$/);
    await Deno.writeTextFile(path, "no bytes");
    const size = 256 * 2 ** 20;
    const oneMore = { path, offset: 0, size: size + 1 };
    const tooMany = { message: /the file has 268435457 bytes, give one of at most 268435456$/ };
    await assert.rejects(readImage(oneMore), tooMany);
    await assert.rejects(readImageWithin(oneMore, { memory: Infinity }), tooMany);
    await assert.rejects(readImage({ ...oneMore, size }), { message: /ends before byte/ });
    await rejects(path, /dog\.jpg': the file is text/);
    await Deno.writeFile(path, Uint8Array.fromBase64(images.images["rgb.png"].file));
    assert.equal((await readImage({ path })).width, 45);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("readImage() reads an image out of the middle of a file", files, async () => {
  const bytes = Uint8Array.fromBase64(images.images["rgb-420.jpg"].file);
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "shard.tar");
    await Deno.writeFile(path, new Uint8Array([...new Uint8Array(1000), ...bytes, ...new Uint8Array(500)]));
    assert.deepEqual(await readImage({ path, offset: 1000, size: bytes.length }), await decodeImage(bytes));
    await assert.rejects(readImage({ path, offset: 1000, size: bytes.length - 1 }), /the JPEG ends too early/);
    await assert.rejects(readImage({ path, offset: 1000, size: 1e5 }), /the file ends before byte 101000/);
    const member = { path, offset: 0, size: 900, member: "cats/tom.jpg" };
    await assert.rejects(readImage(member), /'.*shard\.tar\/cats\/tom\.jpg': the file/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("readImage() does not wait for a pipe to be written to", { ignore: !canRead }, async () => {
  await assert.rejects(readImage({ path: "/dev/null" }), /it is not a regular file/);
});

Deno.test("readImageWithin() returns the memory it needs instead of using more", files, async () => {
  const bytes = Uint8Array.fromBase64(images.images["rgb.png"].file);
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "a.png");
    await Deno.writeFile(path, bytes);
    assert.equal(await readImageWithin({ path }, { memory: bytes.length - 1 }), bytes.length);
    const needed = await readImageWithin({ path }, { memory: bytes.length });
    assert.ok(typeof needed === "number" && needed >= bytes.length + 45 * 35 * 3);
    assert.deepEqual(await readImageWithin({ path }, { memory: needed }), await decodeImage(bytes));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test(
  "readImage() decodes images as Pillow does, a mean difference under 1",
  { ignore: !testData },
  async () => {
    const folder = join(testData ?? "", "flickr8k-mini", "Images");
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.endsWith(".jpg")).sort();
    for (const { index, width, height, decodedSample } of golden.images) {
      const image = await readImage({ path: join(folder, names[index] ?? "") });
      assert.deepEqual([image.width, image.height], [width, height]);
      const expected = Uint8Array.fromBase64(decodedSample);
      const actual = samplePixels(image.pixels, golden.imageSamples);
      const sum = expected.reduce((total, value, place) => total + Math.abs(value - (actual[place] ?? NaN)), 0);
      assert.ok(sum / expected.length < 1, `image ${index}: mean difference ${sum / expected.length}`);
    }
  },
);
