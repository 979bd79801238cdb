import assert from "node:assert/strict";
import { examine, type ExamineOptions } from "../../src/doctor/examine.ts";
import { InputError } from "../../src/input_error.ts";
import { makeRecipe, type Recipe } from "../../src/pipeline/recipe.ts";
import type { TrainingSource } from "../../src/pipeline/training_source.ts";
import { nativeTest } from "../support/native_test_case.ts";
import { NEEDS_FILES } from "../support/checkpoint_folder.ts";
import { drawnImages, drawnSource, TINY_RECIPE } from "../support/drawn_data.ts";
import { makeFolder } from "../support/temporary_folder.ts";

function optionsOf(changes: Partial<ExamineOptions> = {}, settings: Partial<Recipe> = {}): ExamineOptions {
  let time = 0;
  return {
    openSource: () => Promise.resolve(drawnSource(20)),
    recipe: makeRecipe("lrcn", { ...TINY_RECIPE, batchSize: 4, ...settings }),
    seed: 1,
    encoderWeights: undefined,
    cache: "/cache",
    out: "/runs/new",
    reporter: { progress() {} },
    signal: new AbortController().signal,
    // Each reading of the clock takes a quarter of a second.
    now: () => time += 250,
    memoryLeft: () => 5e9,
    free: () => Promise.resolve(1e12),
    device: "cpu",
    precision: "fp32",
    threads: 1,
    ...changes,
  };
}

const NAMES = drawnSource(20).dataset.examples.map(({ name }) => name);
/** The training set has each color. */
const LISTS = { train: NAMES.slice(0, 16), validation: NAMES.slice(16, 18), test: NAMES.slice(18) };

function sourceWith(change: Partial<TrainingSource["dataset"]>): ExamineOptions["openSource"] {
  const source = drawnSource(20);
  return () => Promise.resolve({ ...source, dataset: { ...source.dataset, ...change } });
}

nativeTest("examine() finds no fault with sound data, and reports all findings", async () => {
  const found = await examine(optionsOf({ openSource: sourceWith({ officialSplits: LISTS }) }, { epochs: 3 }));
  assert.deepEqual([found.errors, found.warnings], [[], []]);
  assert.deepEqual(found.data, { format: "rendered", images: 20, captions: 40, rejected: [], missing: [] });
  assert.deepEqual(found.splits, {
    kind: "official",
    unit: "images",
    train: 16,
    validation: 2,
    test: 2,
    skipped: 0,
    inTwoSplits: [],
    inSeveralLists: [],
  });
  assert.deepEqual(found.captions?.lengths, { 4: 20, 5: 20 });
  assert.deepEqual(found.images, { usable: 20, broken: [], duplicates: { groups: [], acrossSplits: 0 } });
  assert.equal(found.space?.images, 20 * 37 * 37 * 3);
  assert.deepEqual([found.compute?.device, found.compute?.precision, found.compute?.threads], ["cpu", "fp32", 1]);
  assert((found.compute?.peakMemory ?? 0) > 0);
  assert.equal(found.compute?.memoryLeft, 5e9);
  // One reading of the clock before a step and one after it; 8 captions a step.
  assert.deepEqual(found.speed, {
    stages: [{
      stage: "trainable",
      epochs: 3,
      measuredSteps: 10,
      stepSeconds: 0.25,
      captionsPerSecond: 32,
      epochSeconds: 1,
    }],
    featuresSeconds: 0,
    totalSeconds: 3,
  });
  assert.deepEqual(JSON.parse(JSON.stringify(found)), found);
});

nativeTest("examine() measures the frozen stage separately, and its features once", async () => {
  const { speed } = await examine(optionsOf({}, { epochs: 5, frozenEpochs: 2, gradientAccumulationSteps: 2 }));
  assert.deepEqual(speed, {
    stages: [
      { stage: "frozen", epochs: 2, measuredSteps: 10, stepSeconds: 0.25, captionsPerSecond: 64, epochSeconds: 0.5 },
      { stage: "trainable", epochs: 3, measuredSteps: 10, stepSeconds: 0.25, captionsPerSecond: 64, epochSeconds: 0.5 },
    ],
    // A quarter of a second for 8 images.
    featuresSeconds: 0.25 / 8 * 20,
    totalSeconds: 2 * 0.5 + 3 * 0.5 + 0.25 / 8 * 20,
  });
});

nativeTest(
  "examine() measures fewer slow steps, so that it takes about half a minute, but one of each stage",
  async () => {
    const measured = async (stepSeconds: number, settings: Partial<Recipe>) => {
      let time = 0;
      const { speed } = await examine(optionsOf({ now: () => time += 1000 * stepSeconds }, settings));
      return speed?.stages.map(({ measuredSteps, stepSeconds }) => [measuredSteps, stepSeconds]);
    };
    assert.deepEqual(await measured(4, { epochs: 3, frozenEpochs: 0 }), [[8, 4]]);
    assert.deepEqual(await measured(4, { epochs: 3, frozenEpochs: 1 }), [[3, 4], [3, 4]]);
    assert.deepEqual(await measured(100, { epochs: 3, frozenEpochs: 1 }), [[1, 100], [1, 100]]);
  },
);

nativeTest("examine() checks the images although the weights cannot be read", async () => {
  const found = await examine(optionsOf({ encoderWeights: "/gone.pth" }));
  assert.match(found.errors.join("\n"), /^Cannot read '\/gone\.pth'/);
  assert.equal(found.images?.usable, 20);
  assert.notEqual(found.speed, undefined);
}, NEEDS_FILES);

nativeTest("examine() passes each part on when it is found", async () => {
  const parts: string[] = [];
  const found = await examine(optionsOf({ onFound: (found) => void parts.push(Object.keys(found).at(-1) ?? "") }));
  assert.deepEqual(parts, ["data", "captions", "images", "space", "compute"]);
  assert.deepEqual(found.errors, []);
});

nativeTest(
  "examine() counts reading images as part of computing features, not of the frozen stage's steps",
  async () => {
    const source = drawnSource(20);
    let time = 0;
    const reading = drawnImages(source.dataset.examples, () => time += 1000);
    const openSource = () => Promise.resolve({ ...source, openImages: () => Promise.resolve(reading) });
    const { speed } = await examine(optionsOf({ openSource, now: () => time }, { epochs: 5, frozenEpochs: 2 }));
    assert.deepEqual(speed?.stages.map(({ stepSeconds }) => stepSeconds > 0), [false, true]);
    assert(speed.featuresSeconds > 0);
  },
);

nativeTest("examine() dry-runs the longest captions before it measures", async () => {
  const source = drawnSource(20);
  const [first, ...others] = source.dataset.examples;
  assert(first !== undefined);
  const examples = [...others, { ...first, captions: first.captions.map((caption) => `${caption} !`) }];
  const read: number[] = [];
  const found = await examine(optionsOf({
    openSource: () =>
      Promise.resolve({
        ...source,
        dataset: { ...source.dataset, examples, officialSplits: { ...LISTS, train: [...LISTS.train] } },
        openImages: () => Promise.resolve(drawnImages(examples, (index) => read.push(index))),
      }),
  }, { batchSize: 1, batchNorm: "frozen" }));
  assert.deepEqual([found.errors, read[0]], [[], examples.length - 1]);
});

nativeTest(
  "examine() turns notes of the image cache into warnings, and counts no images without a cache",
  async () => {
    const source = drawnSource(20);
    const { warnings, space } = await examine(optionsOf({
      keepImages: false,
      openSource: () =>
        Promise.resolve({
          ...source,
          openImages(options) {
            options.reporter.note("the disk is full");
            return source.openImages(options);
          },
        }),
    }));
    assert(warnings.includes("the disk is full"));
    assert.equal(space?.images, 0);
  },
);

nativeTest("examine() warns about rows, missing images, lists and unknown words", async () => {
  const found = await examine(optionsOf({
    openSource: sourceWith({
      format: "kaggle",
      missing: ["gone.jpg"],
      rejected: [{ file: "captions.txt", line: 3, reason: "has no caption" }],
      officialSplits: { train: NAMES.slice(0, 8), validation: NAMES.slice(8, 10), test: NAMES.slice(10, 19) },
      inSeveralLists: ["4.png"],
    }),
  }, { minCount: 9, maxLength: 4 }));
  assert.deepEqual(found.errors, []);
  assert.deepEqual(found.warnings, [
    "1 unusable rows are skipped, the first: line 3 of captions.txt has no caption",
    "1 missing images are skipped, the first: 'gone.jpg'",
    "1 images are in several lists and stay in one, preferably the test list; the first: '4.png'",
    "1 images are in no list and are skipped",
    found.warnings[4],
    found.warnings[5],
    "20 captions are truncated to 4 words",
  ]);
  assert.match(found.warnings[4] ?? "", /^\d+\.\d% of the words of training captions are unknown \(<unk>\): /);
  assert.match(
    found.warnings[5] ?? "",
    /^\d+\.\d% of the words of validation captions are unknown: they occur fewer than 9/,
  );
  assert.deepEqual(found.splits?.inSeveralLists, ["4.png"]);
});

nativeTest("examine() names images that the notebook's split by caption puts into two splits", async () => {
  const settings = { maxLength: 30, inject: "first", beamSize: 1, batchSize: 8, epochs: 1 } as const;
  const { encoderWidth = 8, encoderBlocks = [1, 1, 1, 1], hiddenSize = 8 } = TINY_RECIPE;
  const recipe = makeRecipe("notebook", { ...settings, encoderWidth, encoderBlocks, hiddenSize, imageSize: 64 });
  const source = drawnSource(20);
  const found = await examine(optionsOf({ recipe, openSource: () => Promise.resolve(source) }));
  assert.equal(found.splits?.unit, "captions");
  assert(found.splits.inTwoSplits.length > 0);
  const warning =
    `${found.splits.inTwoSplits.length} images are in two splits: validation or test set overlap with the training set`;
  assert(found.warnings.includes(warning), found.warnings.join("\n"));
});

nativeTest("examine() lists broken images, and identical images in several splits", async () => {
  const source = drawnSource(20);
  const { examples } = source.dataset;
  const found = await examine(optionsOf({
    openSource: () =>
      Promise.resolve({
        ...source,
        openImages: () =>
          Promise.resolve({
            ...drawnImages(examples.slice(1)),
            broken: [{ path: "/drawn/0.png", reason: "the file is text" }],
            contents: examples.slice(1).map((_, index) => index < 3 ? "same" : `${index}`),
          }),
      }),
  }));
  assert.deepEqual(found.images?.broken, [{ path: "/drawn/0.png", reason: "the file is text" }]);
  assert.deepEqual(found.images?.duplicates.groups, [["1.png", "2.png", "3.png"]]);
  const across = found.images.duplicates.acrossSplits;
  const duplicates = `1 groups of identical images, ${across} of them in several splits`;
  assert(found.warnings.includes(duplicates), found.warnings.join("\n"));
  assert(
    found.warnings.includes(
      "1 broken images are skipped, the first: '/drawn/0.png', the file is text",
    ),
  );
  const { train = 0, validation = 0, test = 0 } = found.splits ?? {};
  assert.equal(train + validation + test, 19);
});

nativeTest("examine() reports what would stop a training as an error, with all earlier findings", async () => {
  const few = drawnSource(5);
  const split = await examine(optionsOf({ openSource: () => Promise.resolve(few) }));
  assert.equal(split.data?.images, 5);
  assert.equal(split.splits, undefined);
  assert.match(split.errors.join(), /^Cannot split dataset: it has 5 images/);

  const unopened = await examine(optionsOf({ openSource: () => Promise.reject(new InputError("no such folder")) }));
  assert.deepEqual(unopened, { warnings: [], errors: ["no such folder"] });

  const single = await examine(optionsOf({}, { batchSize: 1, batchNorm: "batch" }));
  assert.match(single.errors.join(), /too few for BatchNorm/);
  assert.equal(single.speed, undefined);

  const full = await examine(optionsOf({ free: () => Promise.resolve(1000) }));
  assert.match(full.errors.join(), /^Cannot write checkpoints: they need .* and the disk has 1\.0 kB left; /);
  assert(full.speed !== undefined);

  const cacheIsFull = (folder: string) => Promise.resolve(folder.startsWith("/cache") ? 10 : 1e12);
  const noFeatures = await examine(optionsOf({ free: cacheIsFull }, { frozenEpochs: 1 }));
  assert.match(noFeatures.errors.join(), /^Cannot write features: they need .* 10 bytes left; .* with --cache$/);
  assert.deepEqual((await examine(optionsOf({ free: cacheIsFull }))).errors, []);
});

nativeTest("examine() warns about captions without a word", async () => {
  const { dataset } = drawnSource(20);
  const [example] = dataset.examples;
  assert(example !== undefined);
  const rows = [...dataset.rows, { example, caption: " " }];
  const { warnings } = await examine(optionsOf({ openSource: sourceWith({ rows }) }));
  assert(warnings.includes("1 captions have no word"), warnings.join("\n"));
});

nativeTest("examine() ends with its signal's reason, and throws errors that are not the data's fault", async () => {
  const controller = new AbortController();
  const reporter = { progress: () => controller.abort(new Error("enough")) };
  await assert.rejects(examine(optionsOf({ signal: controller.signal, reporter })), /enough/);
  await assert.rejects(examine(optionsOf({ openSource: () => Promise.reject(new TypeError("a bug")) })), /a bug/);
});

nativeTest("examine() refuses a folder that holds a run, and one that cannot be created", async () => {
  await using folder = await makeFolder({ "old/config.json": "{}", "empty/a.txt": "", "file": "" });
  const errors = async (name: string) => (await examine(optionsOf({ out: `${folder.path}/${name}` }))).errors;
  assert.deepEqual(await errors("new"), []);
  assert.deepEqual(await errors("empty"), []);
  assert.deepEqual(await errors("old"), [
    `Cannot train into '${folder.path}/old': it holds a run already; choose another folder by --out`,
  ]);
  assert.deepEqual(await errors("file"), [
    `Cannot train into '${folder.path}/file': a part of the path is a file, not a folder; choose another folder by --out`,
  ]);
}, NEEDS_FILES);
