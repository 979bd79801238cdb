import assert from "node:assert/strict";
import type { Batch } from "../../src/ffi/batch.ts";
import { Engine } from "../../src/ffi/engine.ts";
import { SINGLE_PROCESS } from "../../src/distributed/process_group.ts";
import type { TrainingContext } from "../../src/pipeline/training_context.ts";
import { makeRecipe, type Recipe } from "../../src/pipeline/recipe.ts";
import { exampleBatches, inOrder } from "../../src/pipeline/example_batches.ts";
import { ImageError } from "../../src/images/image_error.ts";
import { type EncodedExample, prepareTrainingData } from "../../src/pipeline/training_data.ts";
import { scoreOf, validate } from "../../src/pipeline/validate.ts";
import { fillModel } from "../support/golden_batch.ts";
import { TINY_MODEL } from "../support/native.ts";
import { overriding } from "../support/overriding.ts";
import { nativeTest } from "../support/native_test_case.ts";
import { drawnDataset, drawnImages, TINY_RECIPE } from "../support/drawn_data.ts";

/** A tiny model with formula weights and ten pictures of eight colors to validate it on. */
async function open(changes: Partial<Recipe> = {}) {
  const { name = "lrcn", ...rest } = changes;
  const recipe = makeRecipe(name, { ...TINY_RECIPE, batchSize: 4, ...rest });
  const dataset = drawnDataset(10);
  const { splits, vocabulary, firstWord } = prepareTrainingData(dataset, { ...recipe, minVocabulary: 0 }, 0);
  const reads: number[] = [];
  const images = drawnImages(dataset.examples, (index) => reads.push(index));
  const { encoderWidth, encoderBlocks, hiddenSize, embedSize, inject, maxLength } = recipe;
  const model = { ...TINY_MODEL, encoderWidth, encoderBlocks, hiddenSize, embedSize, inject };
  const engine = await Engine.open(model, { device: "cpu", precision: "fp32", threads: 1 });
  await fillModel(engine);
  const decoding = { ...(name === "notebook" && { firstWord }), maxLength, beamSize: 1 };
  const source = { engine, recipe, images, vocabulary, metadata: { model, decoding }, group: SINGLE_PROCESS };
  const examples = [...splits.train, ...splits.validation, ...splits.test];
  return { source, engine, examples, reads, [Symbol.dispose]: () => engine[Symbol.dispose]() };
}

/** All examples in one batch. */
async function firstBatch(
  source: Pick<TrainingContext, "recipe" | "images">,
  examples: readonly EncodedExample[],
): Promise<Batch> {
  const whole = { ...source, recipe: { ...source.recipe, batchSize: examples.length } };
  for await (const batch of exampleBatches(whole, examples, inOrder(examples))) return batch;
  throw new Error("there are no examples");
}

async function write(engine: Engine, name: string, value: number): Promise<void> {
  const tensor = (await engine.tensors()).find((entry) => entry.name === name);
  const count = tensor?.shape.reduce((product, length) => product * length, 1) ?? 0;
  await engine.write(name, new Uint8Array(new Float32Array(count).fill(value).buffer));
}

nativeTest("validate() finds no gap where the model ignores its images, and one caption for all", async () => {
  using run = await open();
  const looking = await validate(run.source, run.examples);
  assert.notEqual(looking.mismatchedImageLossGap, 0);
  await write(run.engine, "resnet.fc.weight", 0);
  const blind = await validate(run.source, run.examples);
  assert(Math.abs(blind.mismatchedImageLossGap) < 1e-6);
  assert.equal(blind.distinctFraction, 1 / 10);
});

nativeTest("validate() finds a gap and different captions where the model looks at its images", async () => {
  using run = await open();
  const batch = await firstBatch(run.source, run.examples);
  const step = { optimizer: "adam", learningRate: 0.01, encoderLearningRate: 0.01 } as const;
  for (let count = 0; count < 60; count++) await run.engine.trainStep([batch], step);
  // The statistics of BatchNorm follow slowly; one pass shows the images with the trained weights.
  const { mismatchedImageLossGap, distinctFraction, validationLoss, bleu4 } = await validate(run.source, run.examples);
  assert(validationLoss < 2 && mismatchedImageLossGap > 0.1, `loss ${validationLoss}, gap ${mismatchedImageLossGap}`);
  assert(distinctFraction >= 0.4 && bleu4 > 0.2, `distinct ${distinctFraction}, BLEU-4 ${bleu4}`);
});

nativeTest("validate() finds the gap in batches of one image too, by those of the batch before", async () => {
  using run = await open({ batchSize: 1 });
  const { mismatchedImageLossGap } = await validate(run.source, run.examples);
  assert.notEqual(mismatchedImageLossGap, 0);
  await write(run.engine, "resnet.fc.weight", 0);
  assert(Math.abs((await validate(run.source, run.examples)).mismatchedImageLossGap) < 1e-6);
});

nativeTest("validate() compares captions without punctuation, from the words of the vocabulary", async () => {
  using run = await open();
  // All words are alike but "card", which is always the likeliest.
  await write(run.engine, "linear.weight", 0);
  const bias = new Float32Array(TINY_MODEL.vocabularySize);
  bias[run.source.vocabulary.words.indexOf("card")] = 9;
  await run.engine.write("linear.bias", new Uint8Array(bias.buffer));
  const { bleu4, distinctFraction } = await validate(run.source, run.examples);
  // "card" six times: one of the words is right, no pair of words is.
  assert(bleu4 > 0 && bleu4 < 1e-3, String(bleu4));
  assert.equal(distinctFraction, 1 / 10);
});

nativeTest("validate() captions an image once, however many examples it has", async () => {
  using run = await open({ name: "notebook", embedSize: 12, minVocabulary: 1 });
  assert.equal(run.examples.length, 20);
  let captioned = 0;
  const { engine } = run;
  const listening = overriding(engine, {
    startDecoding(features) {
      captioned += features.count;
      return engine.startDecoding(features);
    },
  });
  await validate({ ...run.source, engine: listening }, run.examples);
  assert.equal(captioned, 10);
});

nativeTest("validate() takes features instead of pixels where they are given", async () => {
  using run = await open();
  const expected = await validate(run.source, run.examples);
  const values: Float32Array[] = [];
  for (const index of run.source.images.examples.keys()) {
    const pixels = new Uint8Array(32 * 32 * 3);
    await run.source.images.read(index, 32, pixels);
    values.push((await run.engine.encode({ count: 1, height: 32, width: 32, pixels })).values);
  }
  run.reads.length = 0;
  const features = {
    size: values[0]?.length ?? 0,
    read: (index: number, into: Float32Array) => Promise.resolve(into.set(values[index] ?? [])),
  };
  const found = await validate(run.source, run.examples, { features });
  assert.deepEqual(run.reads, []);
  assert(Math.abs(found.validationLoss - expected.validationLoss) < 1e-5);
  assert.equal(found.distinctFraction, expected.distinctFraction);
});

Deno.test("scoreOf() is lower for a better validation, by the loss or a score, of equal scores by the loss", () => {
  const validation = { validationLoss: 1, bleu4: 0.2, cider: 0.3, mismatchedImageLossGap: 0, distinctFraction: 0 };
  for (const by of ["loss", "bleu4", "cider"] as const) {
    assert(scoreOf(validation, by) < scoreOf({ ...validation, validationLoss: 1.1 }, by));
  }
  for (const by of ["bleu4", "cider"] as const) {
    assert(scoreOf({ ...validation, validationLoss: 9, [by]: 0.301 }, by) < scoreOf(validation, by));
  }
});

nativeTest("validate() writes captions for the images that are left, each with its own references", async () => {
  using run = await open();
  const batch = await firstBatch(run.source, run.examples);
  const step = { optimizer: "adam", learningRate: 0.01, encoderLearningRate: 0.01 } as const;
  for (let count = 0; count < 60; count++) await run.engine.trainStep([batch], step);
  const { examples } = run.source.images;
  const images = drawnImages(examples, (index) => {
    if (examples[index] === run.examples[0]?.example) throw new ImageError("it is gone");
  });
  const found = await validate({ ...run.source, images }, run.examples);
  const expected = await validate(run.source, run.examples.slice(1));
  assert.deepEqual([found.bleu4, found.cider, found.distinctFraction], [
    expected.bleu4,
    expected.cider,
    expected.distinctFraction,
  ]);
  assert(found.cider > 1);
});
