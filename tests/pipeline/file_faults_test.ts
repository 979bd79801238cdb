// Each file operation of what keeps a run, an export or a report fails in turn: the former state stays whole, the message
// names the file and the reason, and nothing leaks.

import assert from "node:assert/strict";
import { join } from "node:path";
import { type CheckpointMetadata, openCheckpoint, saveCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { makeRecipe } from "../../src/pipeline/recipe.ts";
import { type RunConfig, RunFolder } from "../../src/pipeline/run_folder.ts";
import { writeReport } from "../../src/report/write_report.ts";
import { counting, NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";
import { faultTest, filesIn, onlyIfFlushing, sorted } from "../support/fault_campaign.ts";
import { canRun } from "../support/test_data.ts";

const STALE = ".last.safetensors.0f0e0d0c-0b0a-4908-8706-050403020100.tmp";
const CONFIG: RunConfig = {
  recipe: makeRecipe("lrcn", { epochs: 3 }),
  seed: 7,
  device: "cpu",
  precision: "bf16",
  threads: 2,
  encoderWeights: null,
  initialWeights: null,
  initialWords: null,
  dataset: null,
  datasetFingerprint: "0123",
  vocabularySize: 99,
};

const METADATA: CheckpointMetadata = {
  recipe: "lrcn",
  model: {
    vocabularySize: 5,
    embedSize: 4,
    hiddenSize: 4,
    languageLayers: 0,
    fusionLayers: 1,
    inject: "every",
    encoderWidth: 8,
    encoderBlocks: [1, 1, 1, 1],
  },
  preprocessing: { imageSize: 32, shortSide: 37, applyExif: true },
  vocabulary: ["<pad>", "<unk>", "<start>", "<end>", "a"],
  decoding: { maxLength: 20, beamSize: 3 },
  datasetFingerprint: "sha256:0123",
  epoch: 1,
  metrics: { validationLoss: 1.25 },
};

async function writeCheckpoint(path: string, epoch: number): Promise<void> {
  await saveCheckpoint(path, { metadata: { ...METADATA, epoch }, tensors: [counting("linear.bias", "F32", [5])] });
}

faultTest("saveCheckpoint() leaves the former checkpoint or the new one, whichever file operation fails", {
  before: (folder) => writeCheckpoint(join(folder, "last.safetensors"), 1),
  run: (folder) => writeCheckpoint(join(folder, "last.safetensors"), 2),
  allows: onlyIfFlushing,
  operations: 28,
});

faultTest("writeReport() leaves the former report or the new one, whichever file operation fails", {
  before: async (folder) => {
    await (await new RunFolder(folder).create(CONFIG)).move();
    await new RunFolder(folder).writeMetrics(['{"epoch":1,"cider":0.5}']);
    await Deno.writeTextFile(join(folder, "report.html"), "former");
  },
  run: (folder) => writeReport([folder], join(folder, "report.html")),
  allows: onlyIfFlushing,
  operations: 40,
});

faultTest("RunFolder.create() makes a folder with its settings or nothing, whichever file operation fails", {
  before: () => Promise.resolve(),
  run: async (folder) => void (await new RunFolder(join(folder, "run")).create(CONFIG)).move(),
  operations: 32,
});

faultTest("RunFolder.create() leaves a folder that was there as it was, whichever file operation fails", {
  before: (folder) => Deno.writeTextFile(join(folder, "notes.txt"), "mine"),
  run: async (folder) => void (await new RunFolder(folder).create(CONFIG)).move(),
  operations: 32,
});

faultTest("RunFolder.writeMetrics() leaves the former lines or the new ones, whichever file operation fails", {
  before: (folder) => new RunFolder(folder).writeMetrics(['{"epoch":1}']),
  run: (folder) => new RunFolder(folder).writeMetrics(['{"epoch":1}', '{"epoch":2}']),
  allows: onlyIfFlushing,
  operations: 20,
});

faultTest("a run that resumes reads its folder or says which file failed, whichever file operation fails", {
  before: async (folder) => {
    const run = new RunFolder(folder);
    (await run.create(CONFIG)).move();
    await run.writeMetrics(['{"epoch":1}']);
    await writeCheckpoint(run.file("last"), 1);
    await Deno.writeTextFile(join(folder, STALE), "half of it");
  },
  run: async (folder) => {
    const run = new RunFolder(folder);
    assert(await run.hasBegun() && await run.hasLast());
    await run.readConfig();
    using _lock = await run.lock();
    await run.sweep();
    await run.readMetrics(1);
    using _checkpoint = await openCheckpoint(run.file("last"));
  },
  // A network file system may have no locks.
  tolerated: ["file.tryLock"],
  // A temporary may be removed before another file fails.
  allows: (after, done) => assert.deepEqual(sorted(after), sorted(done)),
  operations: 48,
});

Deno.test({
  name: "RunFolder.create() works on a file system without links, and lets one of many begin at once",
  ignore: NEEDS_FILES.ignore || !canRun,
  async fn() {
    await using folder = await temporaryFolder();
    const link = Deno.link;
    Deno.link = () => Promise.reject(Object.assign(new Deno.errors.PermissionDenied("link"), { code: "EPERM" }));
    try {
      const begun = await Promise.allSettled(
        Array.from({ length: 8 }, (_, seed) => new RunFolder(folder.path).create({ ...CONFIG, seed })),
      );
      const winner = begun.findIndex(({ status }) => status === "fulfilled");
      assert.equal(begun.filter(({ status }) => status === "fulfilled").length, 1);
      for (const { reason } of begun.filter((result) => result.status === "rejected")) {
        assert.match(String(reason), /holds a run already/);
      }
      assert.deepEqual(Object.keys(await filesIn(folder.path)), ["config.json"]);
      assert.equal((await new RunFolder(folder.path).readConfig()).seed, winner);
    } finally {
      Deno.link = link;
    }
  },
});
