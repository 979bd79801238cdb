/**
 * What a step and an epoch cost, in numbers that no machine changes.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Engine } from "../../src/ffi/engine.ts";
import { SINGLE_PROCESS } from "../../src/distributed/process_group.ts";
import { type Library, loadLibrary } from "../../src/ffi/library.ts";
import { makeRecipe, type Recipe } from "../../src/pipeline/recipe.ts";
import { train } from "../../src/pipeline/train.ts";
import { prepareTrainingData } from "../../src/pipeline/training_data.ts";
import { TINY_MODEL } from "../support/native.ts";
import { nativeTest } from "../support/native_test_case.ts";
import { drawnDataset, drawnImages, TINY_RECIPE } from "../support/drawn_data.ts";

const [TRAIN, VALIDATION, BATCH] = [8, 4, 4];
const CAPTIONS = 2;

interface Cost {
  /** Calls of each native function. */
  readonly calls: Record<string, number>;
  /** Bytes of pixels, and of all else, that were handed to training steps. */
  readonly pixels: number;
  readonly rest: number;
}

/** Counts what goes to the library while a task runs. */
async function count(library: Library, task: () => Promise<void>) {
  const { symbols } = library;
  const calls: Record<string, number> = {};
  let [pixels, rest] = [0, 0];
  const counted = Object.entries(symbols).map(([name, call]) => {
    const count = (...args: unknown[]) => {
      calls[name] = (calls[name] ?? 0) + 1;
      if (name === "lrcn_train_step") {
        // engine, shape, pixels, ...: the message that may come back is not counted.
        const sizes = args.slice(0, -2).map((value) => ArrayBuffer.isView(value) ? value.byteLength : 0);
        pixels += sizes[2] ?? 0;
        rest += sizes.reduce((sum, size) => sum + size, 0) - (sizes[2] ?? 0);
      }
      return Reflect.apply(call, undefined, args);
    };
    return [name, count];
  });
  Object.defineProperty(library, "symbols", { value: Object.fromEntries(counted), configurable: true, writable: true });
  try {
    await task();
  } finally {
    Object.defineProperty(library, "symbols", { value: symbols, configurable: true, writable: true });
  }
  return { calls, pixels, rest };
}

/** The cost of two epochs. */
async function costOf(changes: Partial<Recipe>): Promise<Cost> {
  const recipe = makeRecipe("lrcn", { ...TINY_RECIPE, epochs: 2, batchSize: BATCH, ...changes });
  const dataset = drawnDataset(TRAIN + VALIDATION);
  const { splits, vocabulary } = prepareTrainingData(dataset, recipe, 0);
  const all = [...splits.train, ...splits.validation, ...splits.test];
  const { encoderWidth, encoderBlocks, hiddenSize, embedSize, inject, maxLength } = recipe;
  const model = { ...TINY_MODEL, encoderWidth, encoderBlocks, hiddenSize, embedSize, inject };
  using engine = await Engine.open(model, { device: "cpu", precision: "fp32" });
  const size = 32 * encoderWidth;
  const frozenFeatures = { size, read: (_: number, into: Float32Array) => Promise.resolve(void into.fill(0.5)) };
  return await count(loadLibrary(), async () => {
    const context = {
      ...{ engine, recipe, vocabulary, seed: 0, metadata: { model, decoding: { maxLength, beamSize: 1 } } },
      ...{ images: drawnImages(dataset.examples), frozenFeatures },
      splits: { train: all.slice(0, TRAIN), validation: all.slice(TRAIN) },
      ...{ pretrained: false, group: SINGLE_PROCESS },
    };
    const checkpoints = {
      isDue: () => false,
      saveProgress: () => Promise.resolve(),
      saveEpoch: () => Promise.resolve(),
    };
    await train(context, { checkpoints, onStep() {}, signal: new AbortController().signal });
  });
}

nativeTest("train() makes one native call a step, and runs the CNN once for each image of an epoch", async () => {
  const { calls } = await costOf({});
  assert.equal(calls["lrcn_train_step"], 2 * TRAIN / BATCH);
  assert.equal(calls["lrcn_encode"], 2 * VALIDATION / BATCH, "once a batch of the validation");
  assert.equal(calls["lrcn_evaluate_step"], 2 * 2 * VALIDATION / BATCH, "once for each loss of the validation");
  const others = ["lrcn_evaluate_step", "lrcn_decode_step"];
  const decoding = ["lrcn_decoding_create", "lrcn_decoding_destroy"];
  assert.deepEqual(new Set(Object.keys(calls)), new Set(["lrcn_train_step", "lrcn_encode", ...others, ...decoding]));
});

nativeTest("train() hands each image over once, and its captions as 32-bit words", async () => {
  const { pixels, rest } = await costOf({});
  const square = 37;
  assert.equal(pixels, 2 * TRAIN * square * square * 3);
  // Captions of 4 and 5 words are given with <start> and asked for with <end>; each batch is as long as its longest.
  const [given, rows] = [6, TRAIN * CAPTIONS];
  const words = 4 * (rows + 2 * rows * given);
  // The two structs, and three doubles that come back.
  const [crops, structs] = [4 * 3 * TRAIN, (TRAIN / BATCH) * (4 * 8 + 112 + 3 * 8)];
  assert.equal(rest, 2 * (words + crops + structs));
});

nativeTest("train() runs no CNN where it is frozen, its features being there", async () => {
  const { calls, pixels } = await costOf({ frozenEpochs: 2 });
  assert.deepEqual([pixels, calls["lrcn_encode"]], [0, undefined]);
});
