import assert from "node:assert/strict";
import { retrieval, type RowStore } from "../../src/evaluation/retrieval.ts";

function memoryStore(): RowStore {
  const kept: Float32Array[] = [];
  return {
    append(row) {
      kept.push(row);
      return Promise.resolve();
    },
    async *rows() {
      yield* kept;
    },
  };
}

async function* rowsOf(scores: readonly (readonly number[])[]) {
  for (const row of scores) yield Float32Array.from(row);
}

async function retrieve(scores: readonly (readonly number[])[], imageOfCaption: readonly number[]) {
  return await retrieval(rowsOf(scores), Int32Array.from(imageOfCaption), memoryStore());
}

Deno.test("retrieval() ranks each caption's image among all", async () => {
  const { images } = await retrieve([[-1, -2, -3], [-1, -2, -3], [-2, -3, -1]], [0, 1, 2]);
  assert.deepEqual(images, { recall1: 2 / 3, recall5: 1, recall10: 1, medianRank: 1 });
});

Deno.test("retrieval() ranks an image's best caption among those of other images", async () => {
  // Image 0 has captions 0 and 1; caption 2, of image 1, ranks between them.
  const { captions } = await retrieve([[-1, -9], [-3, -9], [-2, -5]], [0, 0, 1]);
  assert.deepEqual(captions, { recall1: 1, recall5: 1, recall10: 1, medianRank: 1 });
  const swapped = await retrieve([[-4, -9], [-3, -9], [-2, -5]], [0, 0, 1]);
  assert.equal(swapped.captions.recall1, 0.5);
  assert.equal(swapped.captions.medianRank, 1.5);
});

Deno.test("retrieval() minus the mean over images is not misled by captions that are always probable", async () => {
  const { captions, captionsLessMean } = await retrieve([[-1, -1.5, -1.5], [-8, -6, -8], [-9, -9, -7]], [0, 1, 2]);
  assert.equal(captions.recall1, 1 / 3);
  assert.equal(captionsLessMean.recall1, 1);
});

Deno.test("retrieval() finds nothing if all images score the same", async () => {
  const scores = Array.from({ length: 12 }, () => new Array<number>(12).fill(-5));
  const result = await retrieve(scores, [...scores.keys()]);
  for (const found of Object.values(result)) {
    assert.deepEqual(found, { recall1: 0, recall5: 0, recall10: 0, medianRank: 12 });
  }
});

Deno.test("retrieval() counts ranks up to 1, 5 and 10, and takes the mean of two middle ranks", async () => {
  const count = 20;
  // Caption c has c images before its own.
  const scores = Array.from(
    { length: count },
    (_, caption) =>
      Array.from(
        { length: count },
        (_, image) => image === caption ? 0 : (image - caption + count) % count <= caption ? 1 : -1,
      ),
  );
  const { images } = await retrieve(scores, [...scores.keys()]);
  assert.deepEqual(images, { recall1: 0.05, recall5: 0.25, recall10: 0.5, medianRank: 10.5 });
});

Deno.test("retrieval() refuses rows that are not one score for each image, one row for each caption", async () => {
  await assert.rejects(retrieve([[1, 2], [1]], [0, 1]), RangeError);
  await assert.rejects(retrieve([[1, 2]], [0, 1]), RangeError);
  await assert.rejects(retrieve([[1, 2], [1, 2], [1, 2]], [0, 1]), RangeError);
});
