import assert from "node:assert/strict";
import { describeExamination, ExaminationPrinter } from "../../src/cli/doctor_report.ts";
import type { Examination } from "../../src/doctor/examine.ts";

const SOUND: Examination = {
  data: { format: "kaggle", images: 100, captions: 500, rejected: [], missing: [] },
  splits: {
    kind: "random",
    unit: "images",
    train: 80,
    validation: 10,
    test: 10,
    skipped: 0,
    inTwoSplits: [],
    inSeveralLists: [],
  },
  captions: {
    lengths: { 2: 1, 9: 400, 30: 99 },
    medianLength: 9,
    cut: 99,
    vocabulary: 321,
    skippedWords: 45,
    unknownFractions: { train: 0.01, validation: 0.021, test: 0.5 },
  },
  images: { usable: 100, broken: [], duplicates: { groups: [["a", "b"]], acrossSplits: 1 } },
  space: { images: 2e9, features: 8e6, cacheFree: 5e10, checkpoints: 9e8 },
  compute: { device: "cpu", precision: "bf16", threads: 2, peakMemory: 1.5e9, memoryLeft: 2e10 },
  speed: {
    stages: [
      { stage: "frozen", epochs: 2, measuredSteps: 10, stepSeconds: 1, captionsPerSecond: 120.4, epochSeconds: 61 },
      { stage: "trainable", epochs: 4, measuredSteps: 1, stepSeconds: 1, captionsPerSecond: 12.4, epochSeconds: 3600 },
    ],
    featuresSeconds: 30,
    totalSeconds: 14_552,
  },
  warnings: ["99 captions are truncated to 20 words"],
  errors: [],
};

Deno.test("describeExamination() says where captions and split come from, and which names differ", () => {
  const { data, splits } = SOUND;
  assert(data !== undefined && splits !== undefined);
  const lines = describeExamination({
    ...SOUND,
    data: { ...data, files: "train.csv, val.csv", renamed: "1 image has another name on disk" },
    splits: { ...splits, kind: "official", source: "by the names of 'train.csv', 'val.csv'" },
  });
  assert(lines.includes("captions        train.csv, val.csv"), lines.join("\n"));
  assert(lines.includes("names           1 image has another name on disk"));
  assert(lines.includes("split           by the names of 'train.csv', 'val.csv'"));
});

Deno.test("describeExamination() prints a line for each finding, and that training can run", () => {
  const lines = describeExamination(SOUND);
  const text = lines.join("\n");
  for (
    const fact of [
      "format          kaggle",
      "dataset         100 images with 500 captions, 0 images missing, 0 unusable rows",
      "duplicates      1 groups of identical images, 1 of them in several splits",
      "random split    images: 80 train, 10 validation, 10 test; 0 images in two splits",
      "words           321 in the vocabulary, 45 too rare; unknown: 2.1% in validation, 50.0% in test",
      "cache           2.0 GB of decoded images and 8.0 MB of features; 50.0 GB free",
      "checkpoints     900 MB; free space unknown",
      "device          cpu, bf16, 2 threads",
      "CNN frozen      2 epochs of 1 min 1 s, 120 captions/s (measured: 10 steps)",
      "features        30 s, once",
      "all epochs      at most 4 h 2 min, without validation",
      "  a = b",
      "Warning: 99 captions are truncated to 20 words",
    ]
  ) assert(lines.includes(fact), `${fact}\nis missing in\n${text}`);
  assert.equal(lines.at(-1), "Training can run.");
  assert(lines.length < 45);
});

Deno.test("ExaminationPrinter prints each part when it is found, and nothing twice", () => {
  const lines: string[] = [];
  const printer = new ExaminationPrinter((line) => lines.push(line.slice(0, 16).trimEnd()));
  const { data, splits, captions, images } = SOUND;
  if (data === undefined || splits === undefined || captions === undefined || images === undefined) assert.fail();
  printer.add({ data });
  assert.deepEqual(lines, ["format", "dataset"]);
  printer.add({ data, splits, captions });
  printer.add({ data, splits, captions, images });
  assert.deepEqual(lines.slice(2), ["words", "images", "duplicates", "random split"]);
  printer.end(SOUND);
  assert.deepEqual(lines.slice(6, 13), [
    "cache",
    "checkpoints",
    "device",
    "memory",
    "CNN frozen",
    "CNN trained",
    "features",
  ]);
});

Deno.test("describeExamination() draws a histogram of caption lengths, rare ones included", () => {
  const lines = describeExamination(SOUND);
  const at = lines.indexOf("caption length in words (median 9, maximum 30)");
  assert.deepEqual(lines.slice(at + 1, at + 4), [
    `    0-3  #${" ".repeat(39)}  1`,
    `    4-7  ${" ".repeat(40)}  0`,
    `   8-11  ${"#".repeat(40)}  400`,
  ]);
});

Deno.test("describeExamination() names only what is cached", () => {
  const cacheOf = (changes: { images?: number; features?: number }) =>
    describeExamination({
      ...SOUND,
      space: { images: 2e9, features: 8e6, cacheFree: 5e10, checkpoints: 9e8, ...changes },
    })
      .find((line) => line.startsWith("cache           "))?.replace(/^cache +/, "");
  assert.equal(cacheOf({ images: 0 }), "8.0 MB of features; 50.0 GB free");
  assert.equal(cacheOf({ features: 0 }), "2.0 GB of decoded images; 50.0 GB free");
  assert.equal(cacheOf({ images: 0, features: 0 }), "nothing; 50.0 GB free");
});

Deno.test("describeExamination() shows the first ten of many, and how to see all", () => {
  const broken = Array.from({ length: 13 }, (_, index) => ({ path: `/${index}.jpg`, reason: "the file is text" }));
  const images = { usable: 1, broken, duplicates: { groups: [], acrossSplits: 0 } };
  const lines = describeExamination({ ...SOUND, images });
  const at = lines.indexOf("broken images");
  assert.deepEqual(lines.slice(at + 10, at + 13), [
    "  /9.jpg: the file is text",
    "  and 3 more (--json lists all)",
    "",
  ]);
});

Deno.test("describeExamination() says why training cannot run, and nothing about later findings", () => {
  const lines = describeExamination({ warnings: [], errors: ["Cannot read dataset: there are no captions"] });
  assert.deepEqual(lines, ["error: Cannot read dataset: there are no captions", "Training cannot run."]);
});
