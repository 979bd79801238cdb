import assert from "node:assert/strict";
import { writeCaptions } from "../../src/captioning/write_captions.ts";
import type { Decoding } from "../../src/ffi/decoding.ts";
import { Vocabulary } from "../../src/text/vocabulary.ts";

const VOCABULARY = Vocabulary.fromTokens([["dog", "runs"]], { minCount: 1 });
const END = VOCABULARY.end ?? -1;
const [DOG, RUNS] = VOCABULARY.encode(["dog", "runs"]);

/** The most probable tokens after each: "dog" has the probability 0.55, "dog runs" 0.45 times 0.99. */
const AFTER = new Map<number | undefined, readonly (readonly [token: number | undefined, probability: number])[]>([
  [VOCABULARY.start, [[DOG, 1], [RUNS, 1e-9]]],
  [DOG, [[END, 0.55], [RUNS, 0.45]]],
  [RUNS, [[END, 0.99], [DOG, 0.01]]],
]);

const ENGINE = {
  startDecoding: () =>
    Promise.resolve({
      step: (_parents: Int32Array, tokens: Int32Array) => {
        const next = [...tokens].flatMap((token) => AFTER.get(token) ?? []);
        return Promise.resolve({
          tokens: Int32Array.from(next, ([token = -1]) => token),
          logProbabilities: Float32Array.from(next, ([, probability]) => Math.log(probability)),
        });
      },
      [Symbol.dispose]() {},
    } as unknown as Decoding),
};

const FEATURES = { count: 1, values: Float32Array.of(0) };
const OPTIONS = {
  vocabulary: VOCABULARY,
  model: { inject: "every", vocabularySize: VOCABULARY.size },
  beamSize: 2,
  badEndings: [],
} as const;

Deno.test("writeCaptions() compares captions with the checkpoint's length penalty, unless another is given", async () => {
  const write = async (stored: number | undefined, given?: number) => {
    const decoding = { maxLength: 3, beamSize: 2, ...(stored !== undefined && { lengthPenalty: stored }) };
    const [caption] = await writeCaptions(ENGINE, FEATURES, { ...OPTIONS, decoding, lengthPenalty: given });
    return caption?.text;
  };
  assert.deepEqual([await write(undefined), await write(0)], ["dog", "dog"]);
  assert.equal(await write(1), "dog runs");
  assert.equal(await write(1, 0), "dog");
  assert.equal(await write(0, 1), "dog runs");
});
