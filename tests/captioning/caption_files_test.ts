import assert from "node:assert/strict";
import { join } from "node:path";
import type { CaptionOptions } from "../../src/captioning/captioner.ts";
import { captionFiles, type CaptionFilesOptions, type FileCaptioner } from "../../src/captioning/caption_files.ts";
import type { CaptionInput } from "../../src/images/find_inputs.ts";
import { InputError } from "../../src/input_error.ts";
import kinds from "../golden/image_kinds.json" with { type: "json" };
import images from "../golden/images.json" with { type: "json" };
import { makeFolder } from "../support/temporary_folder.ts";
import { canRead, canWrite } from "../support/test_data.ts";

const ignore = !canRead || !canWrite;
const PICTURE = Uint8Array.fromBase64(images.images["rgb.png"].file);

/** Captions every image with its width, and records its calls. */
function fakeCaptioner(applyExif = true) {
  const calls: { count: number; options: CaptionOptions | undefined }[] = [];
  const captioner: FileCaptioner = {
    decodeOptions: { applyExif },
    prepare: (image) => Promise.resolve({ ...image, pixels: image.pixels.slice() }),
    caption(images, options) {
      calls.push({ count: images.length, options });
      return Promise.resolve(images.map(({ width }) => ({ text: `${width} wide`, logProbability: -1, tokens: [] })));
    },
  };
  return { captioner, calls };
}

async function captionAll(
  captioner: FileCaptioner,
  inputs: Iterable<CaptionInput> | AsyncIterable<CaptionInput>,
  options: CaptionFilesOptions = {},
) {
  const lines: [image: string, text: string][] = [];
  for await (const result of captionFiles(captioner, ReadableStream.from(inputs), options)) {
    lines.push([result.image, "problem" in result ? result.problem : result.text]);
  }
  return lines;
}

function inputsOf(folder: string, names: readonly string[]): CaptionInput[] {
  return names.map((name) => ({ name, path: join(folder, name) }));
}

Deno.test({
  name: "captionFiles() captions images in their order by the names the user gave, and reports broken ones",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "a.png": PICTURE, "b.jpg": "no picture", "c.png": PICTURE });
    const { captioner, calls } = fakeCaptioner();
    const inputs = [
      ...inputsOf(folder.path, ["c.png", "b.jpg"]),
      { name: "empty", problem: "Cannot find anything" },
      { name: "-", bytes: PICTURE },
      ...inputsOf(folder.path, ["a.png", "gone.png"]),
    ];
    const lines = await captionAll(captioner, inputs, { beamSize: 4, nBest: 2 });
    assert.deepEqual(lines.map(([image]) => image), ["c.png", "b.jpg", "empty", "-", "a.png", "gone.png"]);
    const texts = lines.map(([, text]) => text);
    assert.deepEqual([texts[0], texts[2], texts[3], texts[4]], [
      "45 wide",
      "Cannot find anything",
      "45 wide",
      "45 wide",
    ]);
    assert.match(texts[1] ?? "", /^Cannot decode image '.*b\.jpg': /);
    assert.match(texts[5] ?? "", /^Cannot decode image '.*gone\.png': /);
    assert.deepEqual(calls, [{ count: 3, options: { beamSize: 4, nBest: 2 } }]);
  },
});

Deno.test({
  name: "captionFiles() captions 16 images at a time, and none if none can be decoded",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "a.png": PICTURE, "b.jpg": "no picture" });
    const many = fakeCaptioner();
    const names = ["b.jpg", ...new Array(34).fill("a.png"), "b.jpg"];
    assert.deepEqual((await captionAll(many.captioner, inputsOf(folder.path, names))).map(([name]) => name), names);
    assert.deepEqual(many.calls.map(({ count }) => count), [16, 16, 2]);
    const none = fakeCaptioner();
    const result = await captionAll(none.captioner, inputsOf(folder.path, ["b.jpg"]));
    assert.deepEqual([result.length, none.calls], [1, []]);
  },
});

Deno.test({
  name: "captionFiles() encodes the next batch while the one before is decoded, and no third",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "a.png": PICTURE });
    const { captioner } = fakeCaptioner();
    const begun: PromiseWithResolvers<void>[] = [];
    const waiting: FileCaptioner = {
      ...captioner,
      async caption(images) {
        const search = Promise.withResolvers<void>();
        begun.push(search);
        await search.promise;
        return await captioner.caption(images);
      },
    };
    const inputs = inputsOf(folder.path, new Array(64).fill("a.png"));
    const results = captionFiles(waiting, ReadableStream.from(inputs));
    const first = results.next();
    while (begun.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(begun.length, 2);
    const release = setInterval(() => begun.forEach(({ resolve }) => resolve()), 1);
    let count = (await first).done ? 0 : 1;
    for await (const _ of results) count++;
    clearInterval(release);
    assert.equal(count, 64);
  },
});

Deno.test({
  name: "captionFiles() captions a live image while it waits for the next",
  ignore,
  async fn() {
    const { readable, writable } = new TransformStream<CaptionInput, CaptionInput>();
    const writer = writable.getWriter();
    const { captioner, calls } = fakeCaptioner();
    const results = captionFiles(captioner, readable, { live: true });
    for (const name of ["first", "second"]) {
      writer.write({ name, bytes: PICTURE });
      const { value } = await results.next();
      assert.equal(value?.image, name);
    }
    writer.close();
    assert.equal((await results.next()).done, true);
    assert.deepEqual(calls.map(({ count }) => count), [1, 1]);
  },
});

Deno.test({
  name: "captionFiles() fills a batch if images are not live, however slow they are",
  ignore,
  async fn() {
    async function* slow() {
      yield { name: "first", bytes: PICTURE };
      await new Promise((resolve) => setTimeout(resolve, 150));
      yield { name: "second", bytes: PICTURE };
    }
    const { captioner, calls } = fakeCaptioner();
    await captionAll(captioner, slow());
    assert.deepEqual(calls.map(({ count }) => count), [2]);
  },
});

Deno.test({
  name: "captionFiles() starts no batch after the signal",
  ignore,
  async fn() {
    const controller = new AbortController();
    async function* interrupted() {
      yield { name: "first", bytes: PICTURE };
      await new Promise((resolve) => setTimeout(resolve, 150));
      controller.abort();
    }
    const { captioner, calls } = fakeCaptioner();
    assert.deepEqual(await captionAll(captioner, interrupted(), { signal: controller.signal }), []);
    assert.deepEqual(calls, []);
  },
});

Deno.test({
  name: "captionFiles() finishes the batches in flight after the signal, and starts no more",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "a.png": PICTURE });
    const { captioner, calls } = fakeCaptioner();
    const controller = new AbortController();
    const stopping: FileCaptioner = {
      ...captioner,
      caption(images) {
        controller.abort();
        return captioner.caption(images);
      },
    };
    const lines = await captionAll(stopping, inputsOf(folder.path, new Array(64).fill("a.png")), {
      signal: controller.signal,
    });
    assert.deepEqual([lines.length, calls.length], [16, 1]);
  },
});

Deno.test({
  name: "captionFiles() passes on an error that concerns all images",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "a.png": PICTURE });
    const failing: FileCaptioner = {
      ...fakeCaptioner().captioner,
      caption: () => Promise.reject(new InputError("Cannot do that")),
    };
    await assert.rejects(captionAll(failing, inputsOf(folder.path, new Array(40).fill("a.png"))), /Cannot do that/);
  },
});

Deno.test({
  name: "captionFiles() applies EXIF orientation as the model was trained, and refuses images over maxPixels",
  ignore,
  async fn() {
    const bytes = Uint8Array.fromBase64(kinds.images["turned-6.jpg"].file);
    await using folder = await makeFolder({ "turned.jpg": bytes });
    for (const input of [...inputsOf(folder.path, ["turned.jpg"]), { name: "-", bytes }]) {
      const widths = (applyExif: boolean) => captionAll(fakeCaptioner(applyExif).captioner, [input]);
      assert.notDeepEqual(await widths(true), await widths(false));
      const [[, problem = ""] = []] = await captionAll(fakeCaptioner().captioner, [input], { maxPixels: 10 });
      assert.match(problem, /^Cannot decode image '.*': .*scale it down to at most 10 pixels/);
    }
  },
});

Deno.test({
  name: "captionFiles() reports a broken image from memory",
  ignore,
  async fn() {
    const inputs = [
      { name: "-", bytes: PICTURE.slice(0, PICTURE.length - 40) },
      { name: "-", bytes: new TextEncoder().encode("<!doctype html><html>") },
    ];
    const lines = await captionAll(fakeCaptioner().captioner, inputs);
    assert.match(lines[0]?.[1] ?? "", /^Cannot decode image '-': the PNG ends too early/);
    assert.match(lines[1]?.[1] ?? "", /^Cannot decode image '-': the file is a web page \(HTML\)/);
  },
});
