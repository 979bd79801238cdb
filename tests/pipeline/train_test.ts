import assert from "node:assert/strict";
import { modelTensors } from "../../src/checkpoint/model_state.ts";
import type { Batch } from "../../src/ffi/batch.ts";
import { Engine } from "../../src/ffi/engine.ts";
import type { EngineOptions } from "../../src/ffi/settings.ts";
import { InputError } from "../../src/input_error.ts";
import { collateMasked, collateShifted } from "../../src/ffi/collate.ts";
import { SINGLE_PROCESS } from "../../src/distributed/process_group.ts";
import { makeRecipe, type Recipe } from "../../src/pipeline/recipe.ts";
import { scheduleFactor } from "../../src/pipeline/learning_rate.ts";
import type { EpochMetrics, StepReport } from "../../src/pipeline/meter.ts";
import { isOutOfPatience, type Progress } from "../../src/pipeline/progress.ts";
import { stepOptions } from "../../src/pipeline/step_options.ts";
import { train, type TrainOptions, type TrainResult } from "../../src/pipeline/train.ts";
import type { TrainingContext } from "../../src/pipeline/training_context.ts";
import { type EncodedExample, prepareTrainingData } from "../../src/pipeline/training_data.ts";
import { scoreOf } from "../../src/pipeline/validate.ts";
import { fillModel } from "../support/golden_batch.ts";
import { TINY_MODEL } from "../support/native.ts";
import { overriding } from "../support/overriding.ts";
import { nativeTest } from "../support/native_test_case.ts";
import { drawnDataset, drawnImages, TINY_RECIPE } from "../support/drawn_data.ts";

const CPU: EngineOptions = { device: "cpu", precision: "fp32", threads: 1 };
/** Nothing is dropped, and images are seen from their center. */
const PLAIN: Partial<Recipe> = { embeddingDropout: 0, outputDropout: 0, augmentation: "none" };
/** A run that changes nothing. */
const STILL: Partial<Recipe> = { frozenEpochs: 9, frozenLearningRate: 0 };

interface Run extends Disposable {
  readonly training: TrainingContext & { readonly engine: Engine };
  /** Indices of the images that were read, in order. */
  readonly reads: number[];
  /** What `onEpoch` was told. */
  readonly epochs: { readonly metrics: EpochMetrics; readonly best: boolean }[];
  /** What `onStep` was told. */
  readonly steps: StepReport[];
}

/** A tiny model, 8 images to train on and 2 others to validate with. */
async function openRun(changes: Partial<Recipe> = {}, seed = 0, onRead = () => {}): Promise<Run> {
  const recipe = makeRecipe(changes.name ?? "lrcn", { ...TINY_RECIPE, ...PLAIN, ...without(changes, "name") });
  const dataset = drawnDataset(10);
  const { splits, vocabulary, firstWord } = prepareTrainingData(dataset, { ...recipe, minVocabulary: 0 }, 0);
  const examples = [...splits.train, ...splits.validation, ...splits.test];
  // In the notebook recipe an image has several examples, of one caption each: one of them is enough here.
  const all = [...new Map(examples.map((example) => [example.example, example])).values()];
  const reads: number[] = [];
  const images = drawnImages(dataset.examples, (index) => {
    reads.push(index);
    onRead();
  });
  const { encoderWidth, encoderBlocks, hiddenSize, embedSize, inject, maxLength } = recipe;
  const model = { ...TINY_MODEL, encoderWidth, encoderBlocks, hiddenSize, embedSize, inject };
  const engine = await Engine.open(model, CPU);
  const decoding = { ...(recipe.name === "notebook" && { firstWord }), maxLength, beamSize: 1 };
  const training = {
    ...{ engine, recipe, splits: { train: all.slice(0, 8), validation: all.slice(8, 10) }, images, seed },
    ...{ vocabulary, metadata: { model, decoding }, pretrained: false, group: SINGLE_PROCESS },
  };
  return { training, reads, epochs: [], steps: [], [Symbol.dispose]: () => engine[Symbol.dispose]() };
}

function without<T extends object>(values: T, key: keyof T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => name !== key)) as Partial<T>;
}

interface StartOptions extends Pick<TrainOptions, "readEvery"> {
  readonly onProgress?: (progress: Progress) => Promise<void>;
  readonly onEpoch?: () => Promise<void>;
  readonly from?: Progress;
  readonly signal?: AbortSignal;
  readonly now?: () => number;
  readonly onStep?: () => void;
}

function start(run: Run, options: StartOptions = {}) {
  const { onStep = () => {}, onProgress, onEpoch, signal = new AbortController().signal, ...rest } = options;
  return train(run.training, {
    ...rest,
    signal,
    onStep: (report) => {
      run.steps.push(report);
      onStep();
    },
    checkpoints: {
      isDue: () => onProgress !== undefined,
      saveProgress: async (progress) => await onProgress?.(progress),
      async saveEpoch(metrics, _progress, best) {
        run.epochs.push({ metrics, best });
        await onEpoch?.();
      },
    },
  });
}

function untimedStep({ epoch, step, loss, learningRate, gradientNorm }: StepReport) {
  return { epoch, step, loss, learningRate, gradientNorm };
}

function untimedEpoch({ metrics, best }: Run["epochs"][number]) {
  const { seconds: _1, captionsPerSecond: _2, imagesPerSecond: _3, dataWaitFraction: _4, ...others } = metrics;
  const { validationSeconds: _5, ...rest } = others;
  return { ...rest, best };
}

function ending({ reason, progress }: TrainResult) {
  return { epochs: progress.validationScores.length, step: progress.step, reason };
}

/** All parameters and buffers of a model, the CNN's (without its last layer) apart from the rest. */
async function snapshot(engine: Engine): Promise<{ encoder: string[]; rest: string[] }> {
  const parts = { encoder: new Array<string>(), rest: new Array<string>() };
  for (const tensor of await modelTensors(engine, ["parameter", "buffer"])) {
    const inside = tensor.name.startsWith("resnet.") && !tensor.name.startsWith("resnet.fc.");
    parts[inside ? "encoder" : "rest"].push((await tensor.read()).toBase64());
  }
  return parts;
}

/** The batch of some examples, made without the training loop. */
async function batchOf({ images, recipe }: TrainingContext, examples: readonly EncodedExample[]): Promise<Batch> {
  const side = recipe.imageSize;
  const pixels = new Uint8Array(examples.length * side * side * 3);
  for (const [position, { example }] of examples.entries()) {
    const part = pixels.subarray(position * side * side * 3, (position + 1) * side * side * 3);
    await images.read(images.examples.indexOf(example), side, part);
  }
  const pictures = { count: examples.length, height: side, width: side, pixels };
  return recipe.collation === "shifted"
    ? collateShifted(pictures, examples.flatMap(({ captions }) => captions))
    : collateMasked(pictures, examples.map(({ captions }) => captions));
}

nativeTest("train() lowers the loss when it sees the same eight images again and again", async () => {
  using run = await openRun({
    ...{ epochs: 60, batchSize: 4, patience: 0, schedule: "constant" },
    ...{ learningRate: 0.01, encoderLearningRate: 0.01 },
  });
  assert.deepEqual(ending(await start(run)), { epochs: 60, step: 0, reason: "done" });
  const losses = run.epochs.map(({ metrics }) => metrics.trainLoss);
  const [first = NaN, last = NaN] = [losses[0], losses.at(-1)];
  assert(last < first / 4, `the loss went from ${first} to ${last}`);
});

nativeTest("train() goes through all images in each epoch, in an order that the seed alone decides", async () => {
  const orders: number[][] = [];
  for (const [seed, changes] of [[1, {}], [1, { learningRate: 0.1, batchSize: 4 }], [2, {}]] as const) {
    using run = await openRun({ epochs: 2, batchSize: 3, ...changes }, seed);
    await start(run);
    orders.push(run.reads);
  }
  const [first = [], same, other] = orders;
  assert.deepEqual(first, same);
  assert.notDeepEqual(first, other);
  // Each epoch reads the 8 of the train split, then the 2 of the validation split.
  const [epoch1, epoch2] = [first.slice(0, 8), first.slice(10, 18)];
  assert.equal(first.length, 20);
  assert.equal(new Set(epoch1).size, 8);
  assert.deepEqual(epoch1.toSorted(), epoch2.toSorted());
  assert.notDeepEqual(epoch1, epoch2);
  assert.deepEqual(first.slice(8, 10), first.slice(18));
});

nativeTest("train() ends when so many epochs brought no better validation loss", async () => {
  using run = await openRun({ ...STILL, epochs: 9, patience: 2 });
  assert.deepEqual(ending(await start(run)), { epochs: 3, step: 0, reason: "patience" });
  assert.deepEqual(run.epochs.map(({ best }) => best), [true, false, false]);
  using impatient = await openRun({ ...STILL, epochs: 4, patience: 0 });
  assert.deepEqual(ending(await start(impatient)), { epochs: 4, step: 0, reason: "done" });
});

Deno.test("stepOptions() lets the model's own words grow from none in the first epoch to their share in the last", () => {
  const shares = (epochs: number) => {
    const recipe = makeRecipe("lrcn", { epochs, scheduledSampling: 0.4 });
    return Array.from({ length: epochs }, (_, epoch) => stepOptions(recipe, epoch + 1).scheduledSampling);
  };
  assert.deepEqual(shares(5), [0, 0.1, 0.2, 0.30000000000000004, 0.4]);
  assert.deepEqual(shares(1), [0.4]);
});

Deno.test("isOutOfPatience() does not count epochs of a frozen CNN that is to learn after them", () => {
  const out = (epochs: number, validationScores: number[]) =>
    isOutOfPatience(makeRecipe("lrcn", { epochs, frozenEpochs: 4, patience: 2 }), {
      validationScores,
      step: 0,
      sums: { loss: 0, lossWeight: 0, gradientNorm: 0 },
    });
  assert(!out(9, [1, 2, 3, 4]));
  assert(!out(9, [1, 2, 3, 4, 5]));
  assert(out(9, [1, 2, 3, 4, 5, 6]));
  assert(!out(9, [2, 3, 4, 5, 1, 3]));
  assert(out(4, [1, 2, 3]), "the CNN never learns");
});

nativeTest("train() ends after the step in progress when it is interrupted", async () => {
  using run = await openRun({ epochs: 3, batchSize: 2 });
  const controller = new AbortController();
  const result = await start(run, {
    signal: controller.signal,
    onStep: () => run.steps.length === 6 && controller.abort(),
  });
  assert.deepEqual(ending(result), { epochs: 1, step: 2, reason: "interrupted" });
  assert.deepEqual(run.steps.map(({ epoch, step }) => [epoch, step]), [[1, 1], [1, 2], [1, 3], [1, 4], [2, 1], [2, 2]]);
  assert.equal(run.epochs.length, 1);
  using never = await openRun();
  const ended = await start(never, { signal: AbortSignal.abort() });
  assert.deepEqual(ending(ended), { epochs: 0, step: 0, reason: "interrupted" });
  assert.equal(never.steps.length, 0);
});

nativeTest("train() measures time, speed and waiting by the clock it is given", async () => {
  let time = 5000;
  // All 10 images are read in two batches: 8 to train on take 4 s, 2 to validate with 1 s; the step takes 1 s.
  using run = await openRun({ epochs: 1, batchSize: 8 }, 0, () => time += 500);
  await start(run, { now: () => time, onStep: () => time += 1000 });
  const { metrics } = run.epochs[0] ?? {};
  assert.equal(metrics?.seconds, 6);
  assert.equal(metrics.imagesPerSecond, 8 / 5);
  assert.equal(metrics.captionsPerSecond, 16 / 5);
  assert.equal(metrics.dataWaitFraction, 4 / 5);
  const [step] = run.steps;
  assert.deepEqual([step?.epoch, step?.step, step?.steps], [1, 1, 1]);
  assert.deepEqual([step?.captionsPerSecond, step?.dataWaitFraction], [16 / 4, 1]);
  assert.equal(step?.loss, metrics.trainLoss);
  // What happens between the steps is no waiting.
  using second = await openRun({ epochs: 1, batchSize: 4 });
  await start(second, { now: () => time, onStep: () => time += 1000 });
  assert.equal(second.epochs[0]?.metrics.dataWaitFraction, 0);
});

nativeTest("train() reports the mean loss of a word over the whole split", async () => {
  // Batches of 3, 3 and 2 images with captions of several lengths: a mean of means would differ.
  using run = await openRun({ ...STILL, epochs: 1, batchSize: 3 });
  await fillModel(run.training.engine);
  const { training } = run;
  const [short, ...rest] = training.splits.train;
  assert(short !== undefined);
  const train = [{ ...short, captions: [Int32Array.of(2, 3)] }, ...rest];
  await start({ ...run, training: { ...training, splits: { ...training.splits, train } } });
  const { metrics } = run.epochs[0] ?? {};
  const expected = await training.engine.evaluateStep(await batchOf(training, train));
  const validation = await training.engine.evaluateStep(await batchOf(training, training.splits.validation));
  assert(Math.abs((metrics?.trainLoss ?? NaN) - expected.loss) < 1e-5);
  assert(Math.abs((metrics?.validationLoss ?? NaN) - validation.loss) < 1e-5);
  assert((metrics?.gradientNorm ?? NaN) > 0);
});

nativeTest("train() reports the mean of the batches' means in the notebook recipe", async () => {
  using run = await openRun({ ...STILL, name: "notebook", epochs: 1, batchSize: 7 });
  await fillModel(run.training.engine);
  await start(run);
  const { training } = run;
  const order = run.reads.slice(0, 8).map((index) => training.images.examples[index]);
  const examples = order.map((wanted) => training.splits.train.find(({ example }) => example === wanted));
  const losses: number[] = [];
  for (const part of [examples.slice(0, 7), examples.slice(7)]) {
    const batch = await batchOf(training, part.filter((example) => example !== undefined));
    losses.push((await training.engine.evaluateStep(batch)).loss);
  }
  const [seven = NaN, one = NaN] = losses;
  assert(Math.abs(seven - one) > 1e-3);
  assert(Math.abs((run.epochs[0]?.metrics.trainLoss ?? NaN) - (seven + one) / 2) < 1e-5);
});

nativeTest("train() leaves a frozen CNN bit for bit, and trains it afterwards", async () => {
  const rates = { frozenLearningRate: 0.02, learningRate: 0.01, schedule: "constant" } as const;
  using run = await openRun({ epochs: 2, frozenEpochs: 1, ...rates });
  const { engine } = run.training;
  const snapshots = [await snapshot(engine)];
  await start(run, { onEpoch: async () => void snapshots.push(await snapshot(engine)) });
  const [before, frozen, after] = snapshots;
  assert.deepEqual(frozen?.encoder, before?.encoder);
  assert.notDeepEqual(frozen?.rest, before?.rest);
  assert.notDeepEqual(after?.encoder, frozen?.encoder);
  assert.equal(run.epochs[0]?.metrics.learningRate, 0.02);
});

nativeTest("train() follows the schedule while the encoder is frozen, and again while it is fine-tuned", async () => {
  const changes = { epochs: 4, batchSize: 4, frozenEpochs: 1, frozenLearningRate: 0.5, learningRate: 1e-3 };
  using run = await openRun({ ...changes, schedule: "one-cycle", patience: 0 });
  await start(run);
  const factor = (step: number, steps: number) =>
    scheduleFactor(run.training.recipe, { step, steps, validationScores: [] });
  // Two steps an epoch: the last step of epoch e, from 2 on, is step 2 (e - 1) - 1 of 6.
  const expected = [0.5 * factor(1, 2), ...[1, 3, 5].map((step) => 1e-3 * factor(step, 6))];
  assert.deepEqual(run.epochs.map(({ metrics }) => metrics.learningRate), expected);
});

nativeTest("train() says where the loss is no longer a number, and what to lower", async () => {
  using run = await openRun({ learningRate: 1e30, encoderLearningRate: 1e30, batchSize: 4, schedule: "constant" });
  await assert.rejects(start(run), (error) => {
    assert(error instanceof InputError);
    assert.match(error.message, /^Cannot continue: the loss is (?:NaN|Infinity) at epoch 1, step 2; .*learningRate=/);
    return true;
  });
  assert.equal(run.steps.length, 1);
});

nativeTest("train() refuses a validation loss that is no number", async () => {
  using run = await openRun({ learningRate: 1e30, encoderLearningRate: 1e30, batchSize: 8, schedule: "constant" });
  await assert.rejects(
    start(run),
    (error) =>
      error instanceof InputError && /the validation loss is (?:NaN|Infinity) after epoch 1/.test(error.message),
  );
  assert.equal(run.epochs.length, 0);
});

nativeTest("train() goes on from where it stood, with the same numbers and the same model", async () => {
  const changes: Partial<Recipe> = { epochs: 2, batchSize: 2, augmentation: "crop-flip", outputDropout: 0.3 };
  using whole = await openRun(changes);
  await start(whole);
  const expected = await snapshot(whole.training.engine);
  for (const steps of [1, 4, 6]) {
    using run = await openRun(changes);
    const controller = new AbortController();
    const first = await start(run, {
      signal: controller.signal,
      onStep: () => run.steps.length === steps && controller.abort(),
    });
    await start(run, { from: first.progress });
    assert.deepEqual(run.steps.map(untimedStep), whole.steps.map(untimedStep));
    assert.deepEqual(run.epochs.map(untimedEpoch), whole.epochs.map(untimedEpoch));
    assert.deepEqual(await snapshot(run.training.engine), expected);
  }
});

nativeTest("train() tells after each step where it stands", async () => {
  using run = await openRun({ epochs: 2, batchSize: 4 });
  const places: (readonly [number, number])[] = [];
  await start(run, {
    onProgress: ({ validationScores, step }) => {
      places.push([validationScores.length, step]);
      return Promise.resolve();
    },
  });
  assert.deepEqual(places, [[0, 1], [0, 2], [1, 1], [1, 2]]);
});

nativeTest("train() gives the same numbers where they are read every few steps", async () => {
  const cases = [[{ gradientAccumulationSteps: 1 }, 3, [3, 4, 3, 4]], [{ gradientAccumulationSteps: 2 }, 2, [
    2,
    2,
  ]]] as const;
  for (const [{ gradientAccumulationSteps }, readEvery, places] of cases) {
    const changes = { epochs: 2, batchSize: 2, gradientAccumulationSteps, learningRate: 0.01 };
    using whole = await openRun(changes);
    await start(whole);
    using run = await openRun(changes);
    const told: number[] = [];
    await start(run, { readEvery, onProgress: ({ step }) => Promise.resolve(void told.push(step)) });
    assert.deepEqual(told, places);
    assert.deepEqual(run.steps.map(untimedStep), whole.steps.map(untimedStep));
    assert.deepEqual(run.epochs.map(untimedEpoch), whole.epochs.map(untimedEpoch));
    assert.deepEqual(await snapshot(run.training.engine), await snapshot(whole.training.engine));
  }
});

nativeTest("train() makes one step of several batches where told, the last of fewer", async () => {
  using run = await openRun({ epochs: 1, batchSize: 3, gradientAccumulationSteps: 2 });
  const sizes: number[][] = [];
  const { engine } = run.training;
  const listening = overriding(engine, {
    trainStep(...[batches, options]: Parameters<Engine["trainStep"]>) {
      sizes.push(batches.map(({ images }) => images.count));
      return engine.trainStep(batches, options);
    },
  });
  await start({ ...run, training: { ...run.training, engine: listening } });
  assert.deepEqual(sizes, [[3, 3], [2]]);
});

nativeTest("train() shows the frozen CNN's features in place of pixels, with the same numbers", async () => {
  const changes = { epochs: 2, frozenEpochs: 1, batchSize: 4, learningRate: 0.01 } as const;
  using run = await openRun(changes);
  await start(run);
  using cached = await openRun(changes);
  const { engine, images } = cached.training;
  const side = cached.training.recipe.imageSize;
  const features: Float32Array[] = [];
  for (const index of images.examples.keys()) {
    const pixels = new Uint8Array(side * side * 3);
    await images.read(index, side, pixels);
    features.push((await engine.encode({ count: 1, height: side, width: side, pixels })).values);
  }
  const frozenFeatures = {
    size: features[0]?.length ?? 0,
    read: (index: number, into: Float32Array) => Promise.resolve(into.set(features[index] ?? [])),
  };
  cached.reads.length = 0;
  await start({ ...cached, training: { ...cached.training, frozenFeatures } });
  assert.equal(cached.reads.length, 10, "pixels are read in the second epoch alone");
  for (const [index, { metrics }] of run.epochs.entries()) {
    const other = cached.epochs[index]?.metrics;
    assert(Math.abs(metrics.trainLoss - (other?.trainLoss ?? NaN)) < 1e-5);
    assert(Math.abs(metrics.validationLoss - (other?.validationLoss ?? NaN)) < 1e-5);
  }
});

nativeTest("train() keeps the best by BLEU-4 where told", async () => {
  using run = await openRun({ epochs: 4, batchSize: 4, bestBy: "bleu4", patience: 0, learningRate: 0.02 });
  const { progress } = await start(run);
  const validationScores = run.epochs.map(({ metrics }) => scoreOf(metrics, "bleu4"));
  assert.deepEqual(progress.validationScores, validationScores);
  const bests = validationScores.map((value, epoch) => value < Math.min(Infinity, ...validationScores.slice(0, epoch)));
  assert.deepEqual(run.epochs.map(({ best }) => best), bests);
});
