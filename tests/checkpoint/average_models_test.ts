import assert from "node:assert/strict";
import { type AveragedModel, averageModels } from "../../src/checkpoint/average_models.ts";
import { convertFloats, type FloatType } from "../../src/checkpoint/float_types.ts";
import type { StoredTensor } from "../../src/checkpoint/tensor.ts";

const METADATA: AveragedModel["metadata"] = {
  model: {
    vocabularySize: 5,
    embedSize: 8,
    hiddenSize: 8,
    languageLayers: 0,
    fusionLayers: 1,
    inject: "every",
    encoderWidth: 2,
    encoderBlocks: [1, 1, 1, 1],
  },
  vocabulary: ["<pad>", "<unk>", "<start>", "<end>", "dog"],
  preprocessing: { imageSize: 32, shortSide: 36, applyExif: true },
};

function floats(values: readonly number[], dtype: FloatType): StoredTensor {
  const bytes = convertFloats(new Uint8Array(Float64Array.from(values).buffer), "F64", dtype);
  return { dtype, shape: [values.length], read: () => Promise.resolve(bytes) };
}

function modelOf(path: string, weight: StoredTensor, metadata = METADATA): AveragedModel {
  const steps: StoredTensor = {
    dtype: "I64",
    shape: [],
    read: () => Promise.resolve(new Uint8Array(BigInt64Array.of(path === "a" ? 3n : 4n).buffer)),
  };
  return { path, metadata, tensors: new Map([["weight", weight], ["steps", steps]]) };
}

Deno.test("averageModels() weighs the second model by its fraction, in the first one's float type", async () => {
  const [weight, steps] = averageModels(
    modelOf("a", floats([1, -2, 8], "F32")),
    modelOf("b", floats([5, 2, 0], "F16")),
    0.25,
  );
  assert.deepEqual([weight?.name, weight?.dtype, weight?.shape], ["weight", "F32", [3]]);
  assert.deepEqual([...new Float32Array((await weight?.read())?.buffer ?? new ArrayBuffer())], [2, -1, 6]);
  assert.deepEqual([...new BigInt64Array((await steps?.read())?.buffer ?? new ArrayBuffer())], [3n]);
});

Deno.test("averageModels() refuses models of another architecture, vocabulary or preprocessing", () => {
  const weight = floats([1], "F32");
  const others = {
    architecture: { ...METADATA, model: { ...METADATA.model, embedSize: 9 } },
    vocabulary: { ...METADATA, vocabulary: METADATA.vocabulary.toReversed() },
    preprocessing: { ...METADATA, preprocessing: { ...METADATA.preprocessing, imageSize: 30 } },
  };
  for (const [what, metadata] of Object.entries(others)) {
    assert.throws(
      () => averageModels(modelOf("a", weight), modelOf("b", weight, metadata), 0.5),
      new RegExp(`^InputError: Cannot average 'a' and 'b': their ${what} differs; give two checkpoints`),
    );
  }
});
