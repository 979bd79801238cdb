import assert from "node:assert/strict";
import { convertFloats } from "../../src/checkpoint/float_types.ts";
import { loadModel, modelTensors } from "../../src/checkpoint/model_state.ts";
import { withNewWords } from "../../src/checkpoint/new_words.ts";
import type { StoredTensor } from "../../src/checkpoint/tensor.ts";
import { Engine } from "../../src/ffi/engine.ts";
import type { EngineOptions } from "../../src/ffi/settings.ts";
import { InputError } from "../../src/input_error.ts";
import { mapTensor } from "../ffi/engine_state.ts";
import { TINY_MODEL } from "../support/native.ts";
import { nativeTest } from "../support/native_test_case.ts";

const OPTIONS: EngineOptions = { device: "cpu", precision: "fp32", threads: 1 };
const WORDS = TINY_MODEL.vocabularySize;
const FRESH = { known: WORDS, fresh: 2 };
const LARGER = { ...TINY_MODEL, vocabularySize: WORDS + 2 };

/** A model's tensors as a file of half precision holds them. */
async function inHalfPrecision(engine: Engine): Promise<Map<string, StoredTensor>> {
  const tensors = await modelTensors(engine, ["parameter", "buffer"]);
  return new Map(tensors.map(({ name, dtype, shape, read }) => {
    if (dtype !== "F32") return [name, { dtype, shape, read }];
    return [name, { dtype: "F16", shape, read: async () => convertFloats(await read(), "F32", "F16") }];
  }));
}

async function valuesOf(engine: Engine, name: string): Promise<Float32Array> {
  const tensor = (await engine.tensors()).find((tensor) => tensor.name === name);
  assert(tensor !== undefined);
  return new Float32Array((await engine.read(tensor)).buffer);
}

function deviation(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}

nativeTest(
  "withNewWords() gives the file's words their rows, and new words random ones, their vectors as large as the file's",
  async () => {
    using old = await Engine.open(TINY_MODEL, { ...OPTIONS, seed: 1 });
    await mapTensor(old, "embed.weight", (value) => value / 8);
    using engine = await Engine.open(LARGER, { ...OPTIONS, seed: 2 });
    const names = ["embed.weight", "linear.weight", "linear.bias"];
    const initialized = await Promise.all(names.map((name) => valuesOf(engine, name)));
    const file = await inHalfPrecision(old);
    await assert.rejects(loadModel(engine, file, { source: "old" }), InputError);

    await loadModel(engine, await withNewWords(engine, file, FRESH), { source: "old" });
    for (const [index, name] of names.entries()) {
      const [loaded, before, own] = [
        await valuesOf(engine, name),
        await valuesOf(old, name),
        initialized[index] ?? new Float32Array(),
      ];
      assert.deepEqual(loaded.subarray(0, before.length), Float32Array.from(Float16Array.from(before)), name);
      // Vectors of new words have the size of the file's.
      const scale = name === "embed.weight" ? deviation(loaded.subarray(0, before.length)) / deviation(own) : 1;
      for (const [index, value] of loaded.subarray(before.length).entries()) {
        const expected = (own[before.length + index] ?? NaN) * scale;
        assert(Math.abs(value - expected) <= 1e-6 * Math.abs(expected), `${name}: ${value}, not ${expected}`);
      }
      assert(loaded.subarray(before.length).every((value) => value !== 0), name);
    }
  },
);

nativeTest("withNewWords() leaves tensors of another model to the check of all tensors", async () => {
  using old = await Engine.open({ ...TINY_MODEL, hiddenSize: TINY_MODEL.hiddenSize * 2 }, OPTIONS);
  using engine = await Engine.open(LARGER, OPTIONS);
  const found = await withNewWords(engine, await inHalfPrecision(old), FRESH);
  await assert.rejects(loadModel(engine, found, { source: "old" }), InputError);
});
