import assert from "node:assert/strict";
import type { DecodeStep } from "../../src/captioning/hypotheses.ts";
import { notebookSearch } from "../../src/captioning/notebook_search.ts";
import { Engine } from "../../src/ffi/engine.ts";
import { fillModel, goldenBatch, modelSettings } from "../support/golden_batch.ts";
import { nativeTest } from "../support/native_test_case.ts";
import golden from "../golden/model.json" with { type: "json" };

/** Generates the tokens of a list for each image, and records its inputs. */
function scripted(captions: readonly (readonly number[])[]) {
  const given: (readonly number[] | null)[] = [];
  const step: DecodeStep = (parents, tokens, k) => {
    assert.equal(k, 1);
    assert.deepEqual([...parents], [...captions.keys()]);
    const position = given.length;
    given.push(tokens && [...tokens]);
    return Promise.resolve({
      tokens: Int32Array.from(captions, (caption) => caption[position] ?? 0),
      logProbabilities: new Float32Array(captions.length).fill(-0.5),
    });
  };
  return { step, given };
}

Deno.test("notebookSearch() feeds the image alone first, then each token two steps after it was predicted", async () => {
  const { step, given } = scripted([[11, 12, 13, 14, 15, 16]]);
  const [caption] = await notebookSearch(step, { images: 1, firstToken: 7, padding: 0, maxLength: 5 });
  assert.deepEqual(caption, { tokens: [7, 11, 12, 13, 14], logProbability: -2 });
  assert.deepEqual(given, [null, [7], [11], [12]]);
});

Deno.test("notebookSearch() ends each caption before its first padding, and counts the padding's probability", async () => {
  const { step, given } = scripted([[11, 0, 12], [21, 22, 23, 0], [0]]);
  const captions = await notebookSearch(step, { images: 3, firstToken: 7, padding: 0, maxLength: 29 });
  assert.deepEqual(captions, [
    { tokens: [7, 11], logProbability: -1 },
    { tokens: [7, 21, 22, 23], logProbability: -2 },
    { tokens: [7], logProbability: -0.5 },
  ]);
  assert.equal(given.length, 4);
});

for (const name of ["notebook", "notebook with ResNet-50"] as const) {
  nativeTest(`notebookSearch() gives PyTorch's greedy captions: ${name}`, async () => {
    const { case: settings, captions } = golden.cases[name];
    const { images } = goldenBatch(name, settings);
    using engine = await Engine.open(modelSettings(settings), { device: "cpu", precision: "fp64", threads: 1 });
    await fillModel(engine);
    using decoding = await engine.startDecoding(await engine.encode(images));
    const written = await notebookSearch((parents, tokens, k) => decoding.step(parents, tokens, k), {
      images: images.count,
      firstToken: captions.firstWord,
      padding: 0,
      maxLength: 29,
    });
    assert.deepEqual(written.map(({ tokens }) => tokens), captions.words);
  });
}
