import assert from "node:assert/strict";
import { scorePairs } from "../../src/evaluation/score_pairs.ts";
import type { Features } from "../../src/ffi/batch.ts";

const captions = [[1, 7, 2], [1, 8, 9, 2], [1, 9, 2]].map((words) => Int32Array.from(words));

/** A model whose probability is a function of the caption's tokens and the image's index. */
function modelOf(calls: number[]) {
  return {
    score({ values }: Features, lists: readonly (readonly Int32Array[])[]) {
      calls.push(lists.flat().length);
      return Promise.resolve(
        Float64Array.from(
          lists.flatMap((list, image) =>
            list.map((words) =>
              words.subarray(0, -1).reduce((sum, word) => sum + word, 0) + (values[2 * image] ?? NaN) / 8
            )
          ),
        ),
      );
    },
  };
}

function featuresOf(count: number) {
  return { count, values: Float32Array.from({ length: 2 * count }, (_, index) => index % 2 === 0 ? index / 2 : 99) };
}

for (const count of [1, 3, 200, 512, 1300]) {
  Deno.test(`scorePairs() scores each caption with each of ${count} images`, async () => {
    const calls: number[] = [];
    const progress: (readonly [number, number])[] = [];
    const rows = await Array.fromAsync(scorePairs(modelOf(calls), featuresOf(count), captions, {
      onProgress: (done, total) => progress.push([done, total]),
    }));
    const expected = [8, 18, 10].map((words) =>
      Float32Array.from({ length: count }, (_, image) => words + Math.fround(image) / 8)
    );
    assert.deepEqual(rows, expected);
    assert(calls.every((pairs) => pairs <= 128), "memory grows with the number of pairs");
    assert.deepEqual(progress.at(-1), [3 * count, 3 * count]);
  });
}

Deno.test("scorePairs() aborts with its signal's reason", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(Array.fromAsync(scorePairs(modelOf([]), featuresOf(3), captions, { signal })), /enough/);
});
