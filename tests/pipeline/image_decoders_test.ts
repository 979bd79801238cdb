import assert from "node:assert/strict";
import { join } from "node:path";
import { decodeImage } from "../../src/pipeline/decode_image.ts";
import { ImageDecoders } from "../../src/pipeline/image_decoders.ts";
import { ImageError } from "../../src/pipeline/image_error.ts";
import golden from "../golden/images.json" with { type: "json" };
import { canRead, canWrite } from "../test_data.ts";
import { makeFolder } from "./temporary_folder.ts";

/** Answers with a picture as wide as the path is long; dies of the path "deadly", and never answers "silent". */
const FAKE_WORKER = `data:application/javascript,${
  encodeURIComponent(`
    addEventListener("message", ({ data }) => {
      if (data === "deadly") throw new Error("out of its depth");
      if (data !== "silent") postMessage({ image: { width: data.length, height: 1, pixels: new Uint8Array(3) } });
    });
  `)
}`;

function fakeDecoders(count: number): { decoders: ImageDecoders; started: () => number } {
  let started = 0;
  const decoders = new ImageDecoders({
    count,
    newWorker: () => {
      started++;
      return new Worker(FAKE_WORKER, { type: "module" });
    },
  });
  return { decoders, started: () => started };
}

Deno.test(
  "ImageDecoders decodes in Workers what decodeImage() decodes",
  { ignore: !canRead || !canWrite },
  async () => {
    const files = Object.fromEntries(
      Object.entries(golden.images).map(([name, { file }]) => [name, Uint8Array.fromBase64(file)]),
    );
    await using folder = await makeFolder({ ...files, "text.jpg": "no picture" });
    using decoders = new ImageDecoders({ count: 2 });
    const rejection = assert.rejects(
      decoders.decode(join(folder.path, "text.jpg")),
      (error) => error instanceof ImageError && /text\.jpg': the file is text/.test(error.message),
    );
    const images = await Promise.all(Object.keys(files).map((name) => decoders.decode(join(folder.path, name))));
    await rejection;
    assert.deepEqual(images, await Promise.all(Object.values(files).map((file) => decodeImage(file))));
  },
);

Deno.test("ImageDecoders starts no more Workers than it may, and none without work", async () => {
  const { decoders, started } = fakeDecoders(2);
  using _ = decoders;
  assert.equal(started(), 0);
  const paths = Array.from({ length: 9 }, (_, index) => "x".repeat(index + 1));
  const images = await Promise.all(paths.map((path) => decoders.decode(path)));
  assert.deepEqual(images.map(({ width }) => width), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(started(), 2);
});

Deno.test("ImageDecoders replaces a Worker that dies, and its image alone is lost", async () => {
  const { decoders, started } = fakeDecoders(1);
  using _ = decoders;
  const [before, deadly, after] = await Promise.allSettled(["a", "deadly", "abc"].map((path) => decoders.decode(path)));
  assert.equal(before?.status, "fulfilled");
  assert.equal(after?.status === "fulfilled" && after.value.width, 3);
  assert.ok(deadly?.status === "rejected" && deadly.reason instanceof ImageError);
  assert.match(deadly.reason.message, /^Cannot decode image 'deadly': its decoder failed: .*out of its depth/);
  assert.equal(started(), 2);
});

Deno.test("ImageDecoders rejects what is not decoded when it is closed", async () => {
  const { decoders } = fakeDecoders(1);
  const pending = Promise.allSettled(["silent", "waiting"].map((path) => decoders.decode(path)));
  decoders[Symbol.dispose]();
  for (const result of [...await pending, ...await Promise.allSettled([decoders.decode("late")])]) {
    assert.ok(result.status === "rejected" && result.reason.name === "AbortError");
  }
});

Deno.test("ImageDecoders takes no other number of Workers than a positive integer", () => {
  assert.throws(() => new ImageDecoders({ count: 0 }), RangeError);
  assert.throws(() => new ImageDecoders({ count: 1.5 }), RangeError);
});
