import assert from "node:assert/strict";
import { join } from "node:path";
import type { StepReport } from "../../src/pipeline/meter.ts";
import { RunFolder } from "../../src/pipeline/run_folder.ts";
import { logRun } from "../../src/pipeline/run_logs.ts";
import { silentReporter } from "../support/silent_reporter.ts";
import { makeFolder } from "../support/temporary_folder.ts";
import { canRead, canWrite } from "../support/test_data.ts";

const ignore = !(canRead && canWrite);

const REPORT: StepReport = {
  ...{ epoch: 1, stageEnd: 2, step: 1, steps: 2, loss: 3.5, stepLoss: 3, learningRate: 1e-3, encoderLearningRate: 0 },
  ...{ gradientNorm: 2, captionsPerSecond: 1, dataWaitFraction: 0 },
};
const line = (epoch: number, step: number) =>
  `{"epoch":${epoch},"step":${step},"loss":3,"learningRate":0.001,"encoderLearningRate":0,"gradientNorm":2}\n`;

Deno.test({
  name: "logRun() writes a line for each step, and passes all reports on",
  ignore,
  async fn() {
    await using folder = await makeFolder({});
    const reporter = silentReporter();
    const options = { from: { epoch: 1, step: 0 }, steps: 2, tensorboard: false, reporter };
    using logs = await logRun(new RunFolder(folder.path), options);
    for (const step of [1, 2]) logs.step({ ...REPORT, step });
    assert.equal(await Deno.readTextFile(join(folder.path, "steps.jsonl")), line(1, 1) + line(1, 2));
    assert.deepEqual(reporter.steps.map(({ step }) => step), [1, 2]);
    assert.deepEqual(Array.from(Deno.readDirSync(folder.path), ({ name }) => name), ["steps.jsonl"]);
  },
});

Deno.test({
  name: "logRun() of a resumed run keeps the lines before its checkpoint, and drops later and torn ones",
  ignore,
  async fn() {
    const before = line(1, 1) + line(1, 2) + line(2, 1);
    await using folder = await makeFolder({ "steps.jsonl": `${before}${line(2, 2)}${line(3, 1)}{"epoch":2,"ste` });
    const options = { from: { epoch: 2, step: 1 }, steps: 2, tensorboard: true, reporter: silentReporter() };
    using logs = await logRun(new RunFolder(folder.path), options);
    logs.step({ ...REPORT, epoch: 2, step: 2 });
    assert.equal(await Deno.readTextFile(join(folder.path, "steps.jsonl")), before + line(2, 2));
    assert.equal([...Deno.readDirSync(folder.path)].filter(({ name }) => name.includes("tfevents")).length, 1);
  },
});

Deno.test({
  name: "logRun() warns once if nothing can be written, and training continues",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "steps.jsonl/a": "a folder in its place" });
    const reporter = silentReporter();
    const options = { from: { epoch: 1, step: 0 }, steps: 2, tensorboard: true, reporter };
    using logs = await logRun(new RunFolder(folder.path), options);
    for (const step of [1, 2]) logs.step({ ...REPORT, step });
    assert.equal(reporter.notes.length, 1);
    assert.match(reporter.notes[0] ?? "", /^Warning: the steps are no longer logged in '.*': .*; training continues$/);
    assert.equal(reporter.steps.length, 2);
  },
});
