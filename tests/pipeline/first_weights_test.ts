import assert from "node:assert/strict";
import { Engine } from "../../src/ffi/engine.ts";
import { loadFirstWeights } from "../../src/pipeline/first_weights.ts";
import { Vocabulary } from "../../src/text/vocabulary.ts";
import { readNumbers } from "../ffi/engine_state.ts";
import { TINY_MODEL } from "../support/native.ts";
import { nativeTest } from "../support/native_test_case.ts";

nativeTest(
  "loadFirstWeights() initializes word embeddings with the given standard deviation, and changes nothing else",
  async () => {
    for (const precision of ["fp32", "fp64"] as const) {
      using engine = await Engine.open(TINY_MODEL, { device: "cpu", precision, threads: 1, seed: 1 });
      const [words, bias] = [await readNumbers(engine, "embed.weight"), await readNumbers(engine, "linear.bias")];
      await loadFirstWeights(engine, { vocabulary: Vocabulary.fromTokens([], {}), embeddingStd: 0.25, note() {} });
      assert.deepEqual(await readNumbers(engine, "embed.weight"), words.map((value) => value * 0.25));
      assert.deepEqual(await readNumbers(engine, "linear.bias"), bias);
    }
  },
);
