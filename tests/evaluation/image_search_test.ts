import assert from "node:assert/strict";
import { InputError } from "../../src/input_error.ts";
import type { Features } from "../../src/ffi/batch.ts";
import { ImageSearch, type SearchingModel } from "../../src/evaluation/image_search.ts";
import { canRead, canWrite } from "../support/test_data.ts";
import { makeFolder } from "../support/temporary_folder.ts";
import { picture } from "../support/picture.ts";

const ignore = !canRead || !canWrite;
const NEVER = new AbortController().signal;
const WORDS = ["<pad>", "<unk>", "<start>", "<end>", "wide"];

/** A model that finds sentences more probable for wider images; it counts its captions. */
function wideModel() {
  let captioned = 0;
  const model = {
    decodeOptions: {},
    metadata: { vocabulary: WORDS },
    prepare: (image: { width: number }) => Promise.resolve({ width: image.width, height: 1, pixels: new Uint8Array() }),
    encode: (images: readonly { width: number }[]) =>
      Promise.resolve({ count: images.length, values: Float32Array.from(images, ({ width }) => width) }),
    score: ({ values }: Features) => Promise.resolve(Float64Array.from(values, (width) => width - 100)),
    tokenize: (text: string) => text.split(" "),
    encodeCaption: (text: string) =>
      Int32Array.of(2, ...text.split(" ").map((word) => Math.max(1, WORDS.indexOf(word))), 3),
    caption({ values }: Features) {
      captioned += values.length;
      return Promise.resolve(
        Array.from(values, (width) => ({ text: `${width} wide`, logProbability: 0, tokens: [] })),
      );
    },
  };
  return { model: model as unknown as SearchingModel, captioned: () => captioned };
}

async function folderOf(files: Readonly<Record<string, string | Uint8Array>>) {
  const folder = await makeFolder(files);
  const images = Object.keys(files).map((name) => ({ name, path: `${folder.path}/${name}` }));
  return { folder, images };
}

Deno.test({
  name: "ImageSearch ranks by probability, captions each result once, and names unreadable images",
  ignore,
  async fn() {
    const { folder, images } = await folderOf({
      "a.png": picture(5),
      "b.png": "no image",
      "c.png": picture(9),
      "d.png": picture(7),
    });
    await using _ = folder;
    const { model, captioned } = wideModel();
    const search = new ImageSearch(model, images, { signal: NEVER });
    const problems = await search.ready;
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", /b\.png/);
    assert.deepEqual([search.done, search.total], [4, 4]);
    const { found, unknownWords } = await search.search("wide", 2, NEVER);
    assert.deepEqual(unknownWords, []);
    assert.deepEqual(found, [
      { id: 1, name: "c.png", caption: "9 wide", logProbability: -91, probability: Math.exp(-91 / 2) },
      { id: 2, name: "d.png", caption: "7 wide", logProbability: -93, probability: Math.exp(-93 / 2) },
    ]);
    assert.equal((await search.search("wide", 3, NEVER)).found.length, 3);
    assert.equal(search.pathOf(1), `${folder.path}/c.png`);
    assert.equal(search.pathOf(3), undefined);
    assert.equal(captioned(), 3);
  },
});

Deno.test({
  name: "ImageSearch names unknown words, and finds nothing if it knows no word",
  ignore,
  async fn() {
    const { folder, images } = await folderOf({ "a.png": picture(5), "b.png": picture(6) });
    await using _ = folder;
    const search = new ImageSearch(wideModel().model, images, { signal: NEVER });
    await search.ready;
    const { found, unknownWords } = await search.search("zeppelin wide xyzzy zeppelin !", 3, NEVER);
    assert.deepEqual([found.length, unknownWords], [2, ["zeppelin", "xyzzy"]]);
    assert.deepEqual(await search.search("zeppelin !", 3, NEVER), { found: [], unknownWords: ["zeppelin"] });
    assert.deepEqual(await search.search("!", 3, NEVER), { found: [], unknownWords: [] });
  },
});

Deno.test({
  name: "ImageSearch asks to wait until all images are indexed",
  ignore,
  async fn() {
    const { folder, images } = await folderOf({ "a.png": picture(5) });
    await using _ = folder;
    const search = new ImageSearch(wideModel().model, images, { signal: NEVER });
    assert.deepEqual(search.notReady, { reason: "0 of 1 images are indexed; try again later", retryAfter: 2 });
    await assert.rejects(search.search("wide", 1, NEVER), InputError);
    assert.equal(search.pathOf(0), undefined);
    await search.ready;
    assert.equal(search.notReady, undefined);
    assert.equal((await search.search("wide", 1, NEVER)).found.length, 1);
  },
});

Deno.test({
  name: "ImageSearch says why it cannot search if no image can be decoded",
  ignore,
  async fn() {
    const { folder, images } = await folderOf({ "a.png": "no image" });
    await using _ = folder;
    const search = new ImageSearch(wideModel().model, images, { signal: NEVER });
    await assert.rejects(search.ready, InputError);
    await assert.rejects(search.search("wide", 1, NEVER), (error) => {
      assert(error instanceof InputError);
      assert.equal(search.notReady?.retryAfter, undefined);
      assert.match(error.message, /none of 1 can be decoded: .*a\.png/);
      return true;
    });
  },
});

Deno.test({
  name: "ImageSearch refuses images over maxPixels, and captions nothing after an abort",
  ignore,
  async fn() {
    const { folder, images } = await folderOf({ "a.png": picture(5), "b.png": picture(50) });
    await using _ = folder;
    const { model, captioned } = wideModel();
    const search = new ImageSearch(model, images, { maxPixels: 100, signal: NEVER });
    assert.match((await search.ready).join(), /b\.png/);
    await assert.rejects(search.search("wide", 1, AbortSignal.abort(new RangeError("gone"))), RangeError);
    assert.equal(captioned(), 0);
  },
});
