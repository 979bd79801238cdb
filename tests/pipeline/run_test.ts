import assert from "node:assert/strict";
import { join } from "node:path";
import { openCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { exportModel } from "../../src/checkpoint/export_model.ts";
import { modelTensors } from "../../src/checkpoint/model_state.ts";
import { readPth, writePth } from "../../src/checkpoint/pth.ts";
import { Engine } from "../../src/ffi/engine.ts";
import { InputError } from "../../src/input_error.ts";
import { ImageError } from "../../src/images/image_error.ts";
import { fineTuningRecipe, readInitialModel } from "../../src/pipeline/initial_model.ts";
import { makeRecipe, type Recipe, selfCriticalRecipe } from "../../src/pipeline/recipe.ts";
import { RunFolder } from "../../src/pipeline/run_folder.ts";
import { runTraining, type TrainingRunOptions } from "../../src/pipeline/run.ts";
import type { TrainingSource } from "../../src/pipeline/training_source.ts";
import { namesIn, NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";
import { TINY_MODEL } from "../support/native.ts";
import { nativeTest } from "../support/native_test_case.ts";
import { drawnDataset, drawnImages, drawnSource, TINY_RECIPE } from "../support/drawn_data.ts";
import { silentReporter } from "../support/silent_reporter.ts";

const FILES = [
  ...[
    "best.safetensors",
    "config.json",
    "gallery.json",
    "last.safetensors",
    "metrics.jsonl",
    "notes.json",
    "report.html",
    "steps.jsonl",
  ],
];

/** A run of two epochs of a tiny model on 20 pictures. */
function optionsOf(out: string, changes: Partial<Recipe> = {}, name: Recipe["name"] = "lrcn"): TrainingRunOptions {
  return {
    recipe: makeRecipe(name, { ...TINY_RECIPE, epochs: 2, batchSize: 4, ...changes }),
    out,
    seed: 3,
    device: "cpu",
    precision: "fp32",
    threads: 1,
    featuresFolder: join(out, "..", "features"),
    reporter: silentReporter(),
    signal: new AbortController().signal,
  };
}

async function jsonLines(path: string): Promise<Record<string, unknown>[]> {
  return (await Deno.readTextFile(path)).trimEnd().split("\n").map((line) => JSON.parse(line));
}

function runTest(name: string, fn: (folder: string) => Promise<void>): void {
  nativeTest(name, async () => {
    await using folder = await temporaryFolder();
    await fn(folder.path);
  }, NEEDS_FILES);
}

runTest("runTraining() writes settings, a line of metrics for each epoch, the best and the last checkpoint", async (
  folder,
) => {
  const out = join(folder, "runs", "first");
  const reporter = silentReporter();
  const options = { ...optionsOf(out), reporter };
  const result = await runTraining(drawnSource(20), options);
  assert.deepEqual(result, { epochs: 2, reason: "done", best: join(out, "best.safetensors") });
  assert.deepEqual(namesIn(out), FILES);

  const config = JSON.parse(await Deno.readTextFile(join(out, "config.json")));
  assert.deepEqual(config.recipe, options.recipe);
  assert.deepEqual([config.seed, config.device, config.precision, config.threads], [3, "cpu", "fp32", 1]);
  assert.deepEqual([config.dataset, config.datasetFingerprint], [null, "drawn"]);

  const lines = await jsonLines(join(out, "metrics.jsonl"));
  assert.deepEqual(lines, reporter.epochs.map(({ metrics }) => metrics));
  assert.deepEqual(lines.map(({ epoch }) => epoch), [1, 2]);
  for (const field of ["trainLoss", "validationLoss", "seconds", "captionsPerSecond", "imagesPerSecond"]) {
    assert(lines.every((line) => typeof line[field] === "number" && line[field] > 0), field);
  }

  using last = await openCheckpoint(join(out, "last.safetensors"));
  assert.equal(last.metadata.epoch, 2);
  const { trainLoss, validationLoss, mismatchedImageLossGap, distinctFraction, bleu4, cider } = lines[1] ?? {};
  assert.deepEqual(last.metadata.metrics, {
    trainLoss,
    validationLoss,
    mismatchedImageLossGap,
    distinctFraction,
    bleu4,
    cider,
  });
  assert.deepEqual(last.metadata.preprocessing, {
    ...{ imageSize: 32, shortSide: 37, resize: "crop" },
    ...{ applyExif: true, colorManagement: true, alpha: "white", shrinkOnLoad: true },
  });
  assert.deepEqual(last.metadata.decoding, { maxLength: 6, beamSize: 3, lengthPenalty: 0 });
  assert.equal(last.metadata.datasetFingerprint, "drawn");
  assert.equal(last.metadata.splitSeed, 3);
  assert(last.tensors.has("adam.exp_avg.linear.bias") && last.tensors.has("rng"));
  using best = await openCheckpoint(join(out, "best.safetensors"));
  assert(![...best.tensors.keys()].some((name) => name.startsWith("adam.") || name === "rng"));
  assert(best.tensors.has("linear.bias"));
});

runTest("runTraining() keeps as best the epoch with the lowest validation loss", async (folder) => {
  // After a first, careful epoch the rate is so high that the loss rises.
  const changes = { frozenEpochs: 1, frozenLearningRate: 1e-3, learningRate: 1, encoderLearningRate: 1 };
  const options = optionsOf(join(folder, "run"), { ...changes, schedule: "constant", maxGradientNorm: 0 });
  await runTraining(drawnSource(20), options);
  const [first, second] = await jsonLines(join(options.out, "metrics.jsonl"));
  assert(Number(second?.validationLoss) > Number(first?.validationLoss));
  using best = await openCheckpoint(join(options.out, "best.safetensors"));
  using last = await openCheckpoint(join(options.out, "last.safetensors"));
  assert.deepEqual([best.metadata.epoch, last.metadata.epoch], [1, 2]);
});

runTest("runTraining() with one seed and one thread writes the same bytes twice", async (folder) => {
  const run = async (name: string, change: Partial<TrainingRunOptions> = {}) => {
    const options = { ...optionsOf(join(folder, name), { augmentation: "crop-flip" }), ...change };
    await runTraining(drawnSource(20), options);
    const bytes = await Deno.readFile(join(options.out, "last.safetensors"));
    return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  };
  const first = await run("first");
  assert.equal(await run("second"), first);
  assert.notEqual(await run("third", { seed: 4 }), first);
});

runTest("runTraining() writes the notebook's weights as PyTorch has them", async (folder) => {
  const options = optionsOf(join(folder, "run"), { minVocabulary: 60, embedSize: 8 }, "notebook");
  await runTraining(drawnSource(20), options);
  assert.deepEqual(namesIn(options.out), [...FILES, "lrcn_resnet50_flickr8k.pth"].toSorted());
  using file = await readPth(join(options.out, "lrcn_resnet50_flickr8k.pth"));
  const weights = file.tensors;
  assert.deepEqual(weights.get("linear.weight")?.shape, [60, 16]);
  assert.deepEqual(weights.get("embed.weight")?.shape, [60, 8]);
  assert([...weights.keys()].every((name) => /^(?:embed|lstm|linear|resnet)\./.test(name)));
  using last = await openCheckpoint(join(options.out, "last.safetensors"));
  assert.deepEqual(await weights.get("linear.weight")?.read(), await last.tensors.get("linear.weight")?.read());
  // Half of the captions begin with "a", half with "there": which is commoner depends on the split.
  const { firstWord, maxLength, beamSize } = last.metadata.decoding;
  assert.deepEqual([maxLength, beamSize], [5, 1]);
  assert(firstWord === "a" || firstWord === "there");
});

runTest("runTraining() says so where the notebook's dataset has more words than its layer has rows", async (folder) => {
  const reporter = silentReporter();
  const options = { ...optionsOf(join(folder, "run"), { minVocabulary: 5, epochs: 1 }, "notebook"), reporter };
  await runTraining(drawnSource(20), options);
  assert(reporter.notes.some((line) => /^The dataset has 15 words: .* not 5$/.test(line)), reporter.notes.join("\n"));
});

runTest("runTraining() writes one checkpoint when it is interrupted", async (folder) => {
  const controller = new AbortController();
  const reporter = silentReporter(() => reporter.steps.length === 6 && controller.abort());
  const interrupted = optionsOf(join(folder, "second epoch"));
  const result = await runTraining(drawnSource(20), { ...interrupted, reporter, signal: controller.signal });
  assert.deepEqual(result, { epochs: 1, reason: "interrupted", best: join(interrupted.out, "best.safetensors") });
  assert.equal(reporter.steps.length, 6);
  using last = await openCheckpoint(join(interrupted.out, "last.safetensors"));
  using best = await openCheckpoint(join(interrupted.out, "best.safetensors"));
  assert.equal(last.metadata.epoch, 1);
  const bias = async (tensors: typeof last.tensors) => await tensors.get("linear.bias")?.read();
  assert.notDeepEqual(
    await bias(last.tensors),
    await bias(best.tensors),
    "the last steps are not in the last checkpoint",
  );

  const early = optionsOf(join(folder, "first epoch"));
  assert.deepEqual(await runTraining(drawnSource(20), { ...early, signal: AbortSignal.abort() }), {
    epochs: 0,
    reason: "interrupted",
  });
  assert.deepEqual(namesIn(early.out), ["config.json", "last.safetensors", "steps.jsonl"]);
  assert(reporter.notes.some((line) => /^Stopped in epoch 2 after step 2; resume with: .* --resume \S/.test(line)));
});

runTest("runTraining() refuses a folder that holds a run, and leaves it", async (folder) => {
  const out = join(folder, "run");
  await Deno.mkdir(out);
  await Deno.writeTextFile(join(out, "config.json"), "{}");
  await assert.rejects(
    runTraining(drawnSource(20), optionsOf(out)),
    (error) => error instanceof InputError && error.message.startsWith(`Cannot train into '${out}': it holds a run`),
  );
  assert.deepEqual(namesIn(out), ["config.json"]);
  await Deno.writeTextFile(join(folder, "file"), "");
  await assert.rejects(runTraining(drawnSource(20), optionsOf(join(folder, "file"))), InputError);
});

runTest("runTraining() writes nothing when the data are wrong", async (folder) => {
  const dataset = drawnDataset(20);
  const undecodable: TrainingSource = {
    ...{ dataset, origin: null },
    openImages: () => Promise.resolve(drawnImages(dataset.examples.slice(0, 0))),
  };
  const failing: TrainingSource = {
    ...{ dataset, origin: null },
    openImages: () => Promise.reject(new InputError("Cannot read images")),
  };
  for (const source of [drawnSource(3), undecodable, failing]) {
    await assert.rejects(runTraining(source, optionsOf(join(folder, "run"))), InputError);
  }
  const options = { ...optionsOf(join(folder, "run")), encoderWeights: join(folder, "gone.pth") };
  await assert.rejects(runTraining(drawnSource(20), options), InputError);
  assert.deepEqual(namesIn(folder), []);
});

runTest("runTraining() starts from the CNN weights it is given", async (folder) => {
  const path = join(folder, "resnet.pth");
  {
    using engine = await Engine.open(TINY_MODEL, { device: "cpu", precision: "fp32", threads: 1, seed: 9 });
    const tensors = (await modelTensors(engine, ["parameter", "buffer"])).flatMap((tensor) =>
      tensor.name.startsWith("resnet.") ? [{ ...tensor, name: tensor.name.slice("resnet.".length) }] : []
    );
    await writePth(path, tensors);
  }
  const reporter = silentReporter();
  const options = optionsOf(join(folder, "run"), { frozenEpochs: 2, frozenLearningRate: 1e-3 });
  await runTraining(drawnSource(20), { ...options, reporter, encoderWeights: path });
  using weights = await readPth(path);
  using last = await openCheckpoint(join(options.out, "last.safetensors"));
  const name = "layer2.0.conv2.weight";
  assert.deepEqual(await last.tensors.get(`resnet.${name}`)?.read(), await weights.tensors.get(name)?.read());
  assert(reporter.notes.some((line) => /^Encoder: \d+ tensors from .*resnet\.pth/.test(line)));
});

runTest("runTraining() says what was skipped", async (folder) => {
  const dataset = { ...drawnDataset(20), missing: ["gone.png", "lost.png"] };
  const [broken, ...rest] = dataset.examples;
  const source: TrainingSource = {
    ...{ dataset, origin: null },
    openImages: () =>
      Promise.resolve({
        ...drawnImages(rest),
        broken: [{ path: broken?.path ?? "", reason: "the PNG is damaged" }],
      }),
  };
  const reporter = silentReporter();
  await runTraining(source, { ...optionsOf(join(folder, "run"), { epochs: 1 }), reporter });
  const notes = reporter.notes.join("\n");
  assert.match(notes, /Data: 20 images, 40 captions; images in train 15, validation 2, test 2; \d+ words/);
  assert.match(notes, /Skipped 2 missing images, the first: 'gone\.png'/);
  assert.match(notes, /Skipped 1 broken image, the first: '\/drawn\/0\.png': the PNG is damaged/);
});

/** Runs until a step, then goes on in the same folder to the end. */
async function runInTwoParts(
  options: TrainingRunOptions,
  steps: number,
  between: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const controller = new AbortController();
  const reporter = silentReporter(() => reporter.steps.length === steps && controller.abort());
  const first = await runTraining(drawnSource(20), { ...options, reporter, signal: controller.signal });
  assert.equal(first.reason, "interrupted");
  await between();
  const second = await runTraining(drawnSource(20), { ...options, resume: true });
  assert.equal(second.reason, "done");
}

async function digestOf(path: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path))).toHex();
}

runTest("runTraining() that resumes a run ends with the same bytes as one that never stopped", async (folder) => {
  const changes: Partial<Recipe> = { epochs: 3, frozenEpochs: 1, bestBy: "bleu4", scheduledSampling: 0.5 };
  const whole = optionsOf(join(folder, "whole"), changes);
  await runTraining(drawnSource(20), whole);
  for (const steps of [1, 4, 6, 12]) {
    const parts = optionsOf(join(folder, `after ${steps}`), changes);
    await runInTwoParts(parts, steps);
    for (const name of ["last.safetensors", "best.safetensors", "steps.jsonl"]) {
      assert.equal(await digestOf(join(parts.out, name)), await digestOf(join(whole.out, name)), `${name}, ${steps}`);
    }
    const metrics = await jsonLines(join(parts.out, "metrics.jsonl"));
    assert.deepEqual(metrics.map(({ epoch }) => epoch), [1, 2, 3]);
  }
});

runTest(
  "runTraining() continues self-critically from a run's best model, and exactly after a break",
  async (folder) => {
    const former = optionsOf(join(folder, "former"), { epochs: 3 });
    await runTraining(drawnSource(20), former);
    const recipe = selfCriticalRecipe(former.recipe, { epochs: 2, frozenLearningRate: 0.01, samples: 3 });
    const reporter = silentReporter();
    const initialWeights = join(former.out, "best.safetensors");
    const whole = { ...optionsOf(join(folder, "whole")), recipe, initialWeights, reporter };
    await runTraining(drawnSource(20), whole);
    assert(reporter.notes.some((line) => /^Model: .*best\.safetensors, after epoch \d$/.test(line)));
    assert(reporter.notes.some((line) => /^Before: validation BLEU-4 \d\.\d+, CIDEr \d\.\d+$/.test(line)));
    const config = JSON.parse(await Deno.readTextFile(join(whole.out, "config.json")));
    assert.equal(config.initialWeights, initialWeights);
    const [first] = await jsonLines(join(whole.out, "metrics.jsonl"));
    assert(typeof first?.["trainLoss"] === "number" && first["trainLoss"] <= 0, "a reward with a minus");
    for (const steps of [1, 6]) {
      const parts = { ...whole, out: join(folder, `after ${steps}`) };
      await runInTwoParts(parts, steps);
      for (const name of ["last.safetensors", "best.safetensors"]) {
        assert.equal(await digestOf(join(parts.out, name)), await digestOf(join(whole.out, name)), `${name}, ${steps}`);
      }
    }
  },
);

runTest("runTraining() earns more and more CIDEr in self-critical training", async (folder) => {
  const rates = { learningRate: 0.02, encoderLearningRate: 0.02, embeddingDropout: 0, outputDropout: 0 };
  const former = optionsOf(join(folder, "former"), { epochs: 6, schedule: "constant", bestBy: "loss", ...rates });
  await runTraining(drawnSource(40), former);
  const recipe = selfCriticalRecipe(former.recipe, { epochs: 24, frozenLearningRate: 0.01, samples: 10, patience: 0 });
  const reporter = silentReporter();
  const initialWeights = join(former.out, "best.safetensors");
  await runTraining(drawnSource(40), { ...optionsOf(join(folder, "run")), recipe, initialWeights, reporter });
  const rewards = reporter.epochs.map(({ metrics }) => -metrics.trainLoss);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  assert(mean(rewards.slice(-4)) > mean(rewards.slice(0, 4)) + 0.3, String(rewards));
});

runTest(
  "runTraining() keeps the model that self-critical training starts from if no epoch is better",
  async (folder) => {
    const former = optionsOf(join(folder, "former"), { epochs: 6, schedule: "constant", learningRate: 0.02 });
    await runTraining(drawnSource(20), former);
    const recipe = selfCriticalRecipe(former.recipe, { epochs: 3, frozenLearningRate: 1, patience: 2, bestBy: "loss" });
    const initialWeights = join(former.out, "best.safetensors");
    const options = { ...optionsOf(join(folder, "run")), recipe, initialWeights };
    const { reason, epochs } = await runTraining(drawnSource(20), options);
    assert.deepEqual([reason, epochs], ["patience", 2]);
    using start = await openCheckpoint(initialWeights);
    using best = await openCheckpoint(join(options.out, "best.safetensors"));
    assert.equal(best.metadata.epoch, 0);
    assert(best.metadata.metrics["cider"] !== undefined);
    for (const name of ["embed.weight", "linear.bias"]) {
      assert.deepEqual(await best.tensors.get(name)?.read(), await start.tensors.get(name)?.read());
    }
  },
);

runTest(
  "runTraining() fine-tunes a checkpoint in half precision with the new words of its data, and exactly after a break",
  async (folder) => {
    const former = optionsOf(join(folder, "former"), { minCount: 8 });
    await runTraining(drawnSource(20), former);
    const initialWeights = join(folder, "half.safetensors");
    await exportModel(join(former.out, "best.safetensors"), {
      ...{ out: initialWeights, format: "checkpoint", dtype: "float16", force: false },
    });
    const model = await readInitialModel(initialWeights);
    const settings = { epochs: 2, batchSize: 4, frozenLearningRate: 0.01, learningRate: 0.01 };
    const recipe = fineTuningRecipe(model, settings);
    const reporter = silentReporter();
    const start = { recipe, initialWeights, initialWords: model.words };
    const whole = { ...optionsOf(join(folder, "whole")), ...start, reporter };
    await runTraining(drawnSource(20), whole);
    assert(
      reporter.notes.some((line) => /^Model: .*half\.safetensors, after epoch \d, with \d+ new words$/.test(line)),
    );
    assert(reporter.notes.some((line) => /^Before: validation BLEU-4 .*, CIDEr /.test(line)));

    using last = await openCheckpoint(join(whole.out, "last.safetensors"));
    const { vocabulary, model: { vocabularySize } } = last.metadata;
    assert.deepEqual(vocabulary.slice(0, model.words.length), model.words);
    assert(vocabulary.length > model.words.length);
    assert.equal(vocabularySize, vocabulary.length);
    const config = await new RunFolder(whole.out).readConfig();
    assert.deepEqual([config.initialWeights, config.initialWords], [initialWeights, model.words]);

    const parts = { ...optionsOf(join(folder, "parts")), ...start };
    await runInTwoParts(parts, 3, () => Deno.remove(initialWeights));
    for (const name of ["last.safetensors", "best.safetensors"]) {
      assert.equal(await digestOf(join(parts.out, name)), await digestOf(join(whole.out, name)), name);
    }
  },
);

runTest("runTraining() scores its start after a stop during its validation", async (folder) => {
  const former = optionsOf(join(folder, "former"), { epochs: 6, schedule: "constant", learningRate: 0.02 });
  await runTraining(drawnSource(20), former);
  const recipe = selfCriticalRecipe(former.recipe, { epochs: 1, frozenLearningRate: 1, bestBy: "loss" });
  const initialWeights = join(former.out, "best.safetensors");
  const controller = new AbortController();
  const reporter = silentReporter();
  // The features are computed just before the validation.
  const progress = (task: string, done: number, total: number) => {
    if (task.startsWith("Computing features") && done === total) controller.abort();
  };
  const options = { ...optionsOf(join(folder, "run")), recipe, initialWeights };
  const stopped = { ...options, reporter: { ...reporter, progress }, signal: controller.signal };
  assert.deepEqual(await runTraining(drawnSource(20), stopped), { reason: "interrupted", epochs: 0 });
  assert(!reporter.notes.some((line) => line.startsWith("Before: ")));
  await runTraining(drawnSource(20), { ...options, resume: true });
  using best = await openCheckpoint(join(options.out, "best.safetensors"));
  assert.equal(best.metadata.epoch, 0);
});

runTest("runTraining() with a frozen encoder flips images, and drops elements of their features", async (folder) => {
  const losses = await Promise.all(
    [{}, { augmentation: "flip" as const }, { featureDropout: 0.5 }].map(async (changes, index) => {
      const plain = {
        epochs: 1,
        frozenEpochs: 1,
        augmentation: "none",
        embeddingDropout: 0,
        outputDropout: 0,
      } as const;
      const options = optionsOf(join(folder, `${index}`, "run"), { ...plain, ...changes });
      await runTraining(drawnSource(20), options);
      const [epoch] = await jsonLines(join(options.out, "metrics.jsonl"));
      return epoch?.["trainLoss"];
    }),
  );
  assert.equal(new Set(losses).size, 3, String(losses));
});

runTest("runTraining() refuses to start from a model with another vocabulary, and leaves nothing", async (folder) => {
  const former = optionsOf(join(folder, "former"), { epochs: 1 });
  await runTraining(drawnSource(20), former);
  const recipe = selfCriticalRecipe({ ...former.recipe, minCount: 3 }, {});
  const options = { ...optionsOf(join(folder, "run")), recipe, initialWeights: join(former.out, "best.safetensors") };
  await assert.rejects(runTraining(drawnSource(20), options), /its vocabulary is not that of this data/);
  assert.deepEqual(namesIn(folder), ["former"]);
});

runTest("runTraining() that resumes a finished run changes nothing", async (folder) => {
  const options = optionsOf(join(folder, "run"));
  await runTraining(drawnSource(20), options);
  const before = await digestOf(join(options.out, "last.safetensors"));
  assert.equal((await runTraining(drawnSource(20), { ...options, resume: true })).reason, "done");
  assert.equal(await digestOf(join(options.out, "last.safetensors")), before);
  assert.deepEqual(namesIn(options.out), FILES);
});

runTest("runTraining() that resumes before the first checkpoint starts at the first step", async (folder) => {
  const options = optionsOf(join(folder, "run"));
  await runTraining(drawnSource(20), options);
  const whole = await digestOf(join(options.out, "last.safetensors"));
  for (const name of FILES) if (name !== "config.json") await Deno.remove(join(options.out, name));
  await runTraining(drawnSource(20), { ...options, resume: true });
  assert.equal(await digestOf(join(options.out, "last.safetensors")), whole);
});

runTest("runTraining() refuses to resume with other data or settings, and names them", async (folder) => {
  const options = optionsOf(join(folder, "run"));
  await runTraining(drawnSource(20), options);
  const before = await digestOf(join(options.out, "last.safetensors"));
  const refuses = (source: TrainingSource, change: Partial<TrainingRunOptions>, what: RegExp) =>
    assert.rejects(
      runTraining(source, { ...options, resume: true, ...change }),
      (error) => error instanceof InputError && what.test(error.message) && !error.message.includes("\n"),
      String(what),
    );
  await refuses(drawnSource(20), { seed: 4 }, /: the seed and .*the images differ/);
  await refuses(drawnSource(20), { recipe: { ...options.recipe, epochs: 9 } }, /: the settings differ from those/);
  const wider = { ...options.recipe, hiddenSize: 20 };
  await refuses(drawnSource(20), { recipe: wider }, /: the settings and the model differ/);
  const same = drawnSource(20);
  const other = { ...same, dataset: { ...same.dataset, fingerprint: "other" } };
  await refuses(other, {}, /: the dataset's captions differ from those it was trained with/);
  await Deno.copyFile(join(options.out, "best.safetensors"), join(options.out, "last.safetensors"));
  await refuses(drawnSource(20), {}, /last\.safetensors': it has no training state/);
  assert.notEqual(await digestOf(join(options.out, "last.safetensors")), before);
});

runTest("runTraining() writes a checkpoint after every so many steps", async (folder) => {
  const out = join(folder, "run");
  const reporter = silentReporter();
  // Of four steps an epoch the second and the fourth are followed by a checkpoint, and so is the epoch.
  const times: (number | undefined)[] = [];
  reporter.step = () => {
    const path = join(out, "last.safetensors");
    times.push(namesIn(out).includes("last.safetensors") ? Deno.statSync(path).ino ?? 0 : undefined);
  };
  await runTraining(drawnSource(20), { ...optionsOf(out, { epochs: 1 }), checkpointEvery: 2, reporter });
  assert.deepEqual(times.slice(0, 2), [undefined, undefined]);
  assert(times[2] !== undefined && times[2] === times[3], "the second step alone was followed by a checkpoint");
});

runTest("runTraining() says how to resume if a checkpoint cannot be written", async (folder) => {
  const out = join(folder, "run");
  const reporter = silentReporter();
  reporter.epoch = () => {
    // A folder with something in it is more than a file can replace.
    Deno.removeSync(join(out, "best.safetensors"));
    Deno.mkdirSync(join(out, "best.safetensors", "in the way"), { recursive: true });
  };
  await assert.rejects(
    runTraining(drawnSource(20), { ...optionsOf(out, { bestBy: "loss" }), checkpointEvery: 1, reporter }),
    (error) => {
      assert(error instanceof InputError);
      assert.match(
        error.message,
        /best\.safetensors'.*; the previous checkpoint is intact, resume with: .* --resume '.*run'$/,
      );
      return true;
    },
  );
});

runTest("runTraining() says so if its folder vanishes", async (folder) => {
  const out = join(folder, "run");
  const reporter = silentReporter();
  reporter.step = () => Deno.removeSync(out, { recursive: true });
  await assert.rejects(
    runTraining(drawnSource(20), { ...optionsOf(out), checkpointEvery: 1, reporter }),
    (error) =>
      error instanceof InputError && /^Cannot write '.*last\.safetensors': there is no such/.test(error.message),
  );
  assert.deepEqual(namesIn(folder), []);
});

runTest("runTraining() warns of a model that ignores its images", async (folder) => {
  const reporter = silentReporter();
  const changes: Partial<Recipe> = { epochs: 3, frozenEpochs: 3, frozenLearningRate: 0, patience: 0 };
  await runTraining(drawnSource(420), { ...optionsOf(join(folder, "run"), { ...changes, batchSize: 64 }), reporter });
  assert(reporter.notes.some((line) => line.startsWith("Warning: the model ignores its images")));
});

runTest(
  "runTraining() tries the largest batch before the first epoch, and leaves nothing if it fails",
  async (folder) => {
    const options = optionsOf(join(folder, "run"), { epochs: 3, frozenEpochs: 1, gradientAccumulationSteps: 2 });
    const trial = Engine.prototype.tryTrainStep;
    const tried: (string | undefined)[] = [];
    try {
      Engine.prototype.tryTrainStep = function (batches, step) {
        tried.push(step.trainableFrom);
        assert.deepEqual(batches.map(({ images }) => images.count), [4, 4]);
        return Promise.reject(new InputError("Cannot train a step: no memory is left"));
      };
      await assert.rejects(runTraining(drawnSource(20), options), {
        message: "Cannot train a step: no memory is left",
      });
    } finally {
      Engine.prototype.tryTrainStep = trial;
    }
    assert.deepEqual(tried, ["conv1"], "the CNN is frozen first, yet the step in which it learns is tried");
    assert.deepEqual(namesIn(folder), []);
  },
);

runTest("runTraining() continues if an image is lost", async (folder) => {
  const source = drawnSource(20);
  const reads = new Map<number, number>();
  const images = drawnImages(source.dataset.examples, (index) => {
    const count = (reads.get(index) ?? 0) + 1;
    reads.set(index, count);
    if (index % 5 === 0 && count > 1) throw new ImageError("it is gone");
  });
  const { epochs } = await runTraining(
    { ...source, openImages: () => Promise.resolve(images) },
    optionsOf(join(folder, "run")),
  );
  assert.equal(epochs, 2);
});
