import assert from "node:assert/strict";
import { join } from "node:path";
import { decodeImage } from "../../../src/pipeline/images/decode_image.ts";
import { ImageDecoders } from "../../../src/pipeline/images/image_decoders.ts";
import { ImageError } from "../../../src/pipeline/images/image_error.ts";
import golden from "../../golden/images.json" with { type: "json" };
import { canRead, canWrite } from "../../test_data.ts";
import { makeFolder } from "../temporary_folder.ts";

/**
 * Answers with a picture as wide as the path is long; dies of the path "deadly", never answers "silent", hangs at "busy",
 * and asks for 300 MB for a path that begins with "large", whose picture has 110.
 */
const FAKE_WORKER = `data:application/javascript,${
  encodeURIComponent(`
    addEventListener("message", ({ data: { file: { path }, memory } }) => {
      if (path === "deadly") throw new Error("out of its depth");
      if (path === "busy") while (true);
      if (path.startsWith("large") && memory < 300e6) postMessage({ memory: 300e6 });
      else if (path !== "silent") {
        const pixels = new Uint8Array(path.startsWith("large") ? 110e6 : 3);
        postMessage({ image: { width: path.length, height: 1, pixels } }, [pixels.buffer]);
      }
    });
  `)
}`;

function fakeDecoders(count: number, timeLimit = 10_000): { decoders: ImageDecoders; started: () => number } {
  let started = 0;
  const decoders = new ImageDecoders({
    count,
    timeLimit,
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
      decoders.decode({ path: join(folder.path, "text.jpg") }),
      (error) => error instanceof ImageError && /text\.jpg': the file is text/.test(error.message),
    );
    const images = await Promise.all(
      Object.keys(files).map((name) => decoders.decode({ path: join(folder.path, name) })),
    );
    await rejection;
    assert.deepEqual(images, await Promise.all(Object.values(files).map((file) => decodeImage(file))));
  },
);

Deno.test("ImageDecoders starts no more Workers than it may, and none without work", async () => {
  const { decoders, started } = fakeDecoders(2);
  using _ = decoders;
  assert.equal(started(), 0);
  const paths = Array.from({ length: 9 }, (_, index) => "x".repeat(index + 1));
  const images = await Promise.all(paths.map((path) => decoders.decode({ path })));
  assert.deepEqual(images.map(({ width }) => width), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(started(), 2);
});

Deno.test("ImageDecoders replaces a Worker that dies, and its image alone is lost", async () => {
  const { decoders, started } = fakeDecoders(1);
  using _ = decoders;
  const [before, deadly, after] = await Promise.allSettled(
    ["a", "deadly", "abc"].map((path) => decoders.decode({ path })),
  );
  assert.equal(before?.status, "fulfilled");
  assert.equal(after?.status === "fulfilled" && after.value.width, 3);
  assert.ok(deadly?.status === "rejected" && deadly.reason instanceof ImageError);
  assert.match(deadly.reason.message, /^Cannot decode image 'deadly': its decoder failed: .*out of its depth/);
  assert.equal(started(), 2);
});

Deno.test("ImageDecoders ends a Worker that takes too long, and its image alone is lost", async () => {
  const { decoders, started } = fakeDecoders(1, 1000);
  using _ = decoders;
  const results = await Promise.allSettled(["a", "busy", "abc"].map((path) => decoders.decode({ path })));
  const [before, hung, after] = results;
  assert.equal(before?.status, "fulfilled");
  assert.equal(after?.status === "fulfilled" && after.value.width, 3);
  assert.ok(hung?.status === "rejected" && hung.reason instanceof ImageError);
  assert.match(hung.reason.message, /^Cannot decode image 'busy': decoding took more than 1 s, /);
  assert.equal(started(), 2);
});

Deno.test("ImageDecoders decodes large images one at a time, and the next when the one before is done with", async () => {
  const { decoders } = fakeDecoders(3);
  using _ = decoders;
  let [atOnce, most] = [0, 0];
  async function use({ width }: { width: number }): Promise<number> {
    most = Math.max(most, ++atOnce);
    await new Promise((resolve) => setTimeout(resolve, 5));
    atOnce--;
    return width;
  }
  const paths = ["large", "large1", "large22"];
  const order = await Promise.all(paths.map((path) => decoders.decodeThen({ path }, use)));
  assert.deepEqual(order, [5, 6, 7]);
  assert.equal(most, 1);
  const small = await Promise.all(["a", "large", "bc"].map((path) => decoders.decode({ path })));
  assert.deepEqual(small.map(({ width }) => width), [1, 5, 2]);
});

Deno.test("ImageDecoders.decodeThen() passes on what the picture's use throws, and goes on", async () => {
  const { decoders } = fakeDecoders(1);
  using _ = decoders;
  await assert.rejects(
    decoders.decodeThen({ path: "a" }, () => Promise.reject(new Error("no use"))),
    /^Error: no use$/,
  );
  assert.equal(await decoders.decodeThen({ path: "abc" }, ({ width }) => width), 3);
});

Deno.test("ImageDecoders rejects what is not decoded when it is closed", async () => {
  const { decoders } = fakeDecoders(1);
  const pending = Promise.allSettled(["silent", "waiting"].map((path) => decoders.decode({ path })));
  decoders[Symbol.dispose]();
  for (const result of [...await pending, ...await Promise.allSettled([decoders.decode({ path: "late" })])]) {
    assert.ok(result.status === "rejected" && result.reason.name === "AbortError");
  }
});

Deno.test("ImageDecoders takes no other number of Workers than a positive integer", () => {
  assert.throws(() => new ImageDecoders({ count: 0 }), RangeError);
  assert.throws(() => new ImageDecoders({ count: 1.5 }), RangeError);
  assert.throws(() => new ImageDecoders({ timeLimit: 0 }), RangeError);
});
