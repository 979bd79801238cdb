import assert from "node:assert/strict";
import { join } from "node:path";
import { openCheckpoint } from "../../../src/checkpoint/checkpoint.ts";
import { drawDataset, repeatPicture, TINY } from "../../support/draw_dataset.ts";
import { canRunTasks, startTask } from "../../support/run_task.ts";

const ignore = !canRunTasks;
const ACKNOWLEDGED = /^Stopping after this step; press Ctrl-C again to quit at once$/m;
const INTERRUPTED = 130;

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function epochOf(checkpoint: string): Promise<number> {
  using opened = await openCheckpoint(checkpoint);
  assert(opened.tensors.size > 0);
  return opened.metadata.epoch;
}

Deno.test({
  name: "train acknowledges Ctrl-C at once, and ends with a checkpoint and exit code 130",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    const out = join(folder.path, "out");
    const args = ["--data", "drawn", "--out", "out", ...TINY, "--epochs", "100000", "--set", "patience=0"];
    const task = startTask("train", args, { folder: folder.path });
    await task.printed(/^Epoch 1\/100000: train loss/m);
    task.press();
    await task.printed(ACKNOWLEDGED);
    const { code, stdout, stderr } = await task.ended;
    assert.equal(code, INTERRUPTED);
    assert.equal(stderr.trim(), "Stopping after this step; press Ctrl-C again to quit at once");
    assert.deepEqual(namesIn(out), [
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
    ]);
    const epochs = stdout.match(/train loss/g)?.length;
    assert.equal(await epochOf(join(out, "last.safetensors")), epochs);
  },
});

Deno.test({
  name: "train treats two signals within milliseconds as one, and ends after the step, not the epoch",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    await repeatPicture(folder.path, 500);
    const args = ["--data", "drawn", "--out", "out", ...TINY, "--batch-size", "2"];
    const task = startTask("train", args, { folder: folder.path });
    await task.printed(/^Epoch 1\/1: 50\/200/m);
    task.press();
    task.press();
    const { code, stdout, stderr } = await task.ended;
    assert.equal(code, INTERRUPTED);
    assert.equal(stderr.match(/Stopping/g)?.length, 1);
    assert.doesNotMatch(stdout, /200\/200|train loss/);
    // A second Ctrl-C would have terminated it before it saved.
    assert.deepEqual(namesIn(join(folder.path, "out")), ["config.json", "last.safetensors", "steps.jsonl"]);
    assert.equal(await epochOf(join(folder.path, "out", "last.safetensors")), 0);
  },
});

Deno.test({
  name: "train terminates in the middle of a step at a second Ctrl-C, with the previous checkpoint intact",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    // Long captions and a wide LSTM make a step of seconds.
    await repeatPicture(folder.path, 100, "red square ".repeat(100));
    const wide = ["--set", "maxLength=200", "--set", "hiddenSize=512", "--precision", "fp64", "--batch-size", "80"];
    const args = ["--data", "drawn", "--out", "out", ...TINY, ...wide, "--epochs", "100"];
    const last = join(folder.path, "out", "last.safetensors");
    const task = startTask("train", args, { folder: folder.path });
    await task.printed(/^Epoch 1\/100: train loss/m);
    const former = await Deno.readFile(last);
    await wait(200);
    task.press();
    await task.printed(ACKNOWLEDGED);
    await wait(500);
    task.press();
    const { code, stdout } = await task.ended;
    assert.equal(code, INTERRUPTED);
    assert.doesNotMatch(stdout, /^Epoch 2/m);
    // After only one Ctrl-C it would have been replaced.
    assert.deepEqual(await Deno.readFile(last), former);
    assert.equal(await epochOf(last), 1);
  },
});

Deno.test({
  name: "train leaves no run if it is interrupted while decoding images, and keeps the decoded ones",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    await repeatPicture(folder.path, 4000);
    const task = startTask("train", ["--data", "drawn", "--out", "out", ...TINY], { folder: folder.path });
    await task.printed(/^Decoding images: 1000\/4000$/m);
    task.press();
    const { code, stdout } = await task.ended;
    assert.equal(code, INTERRUPTED);
    assert.doesNotMatch(stdout, /4000\/4000/);
    assert.deepEqual(namesIn(folder.path), ["cache", "drawn"]);
    const [cache = ""] = namesIn(join(folder.path, "cache", "images"));
    assert.deepEqual(namesIn(join(folder.path, "cache", "images", cache)), [
      "filling",
      "images.sqlite",
      "images.sqlite-journal",
      "lock",
    ]);
  },
});

Deno.test({
  name: "train ends with a checkpoint when its terminal is closed, or the process that started it is killed",
  ignore,
  async fn(t) {
    await using folder = await drawDataset();
    const args = ["--data", "drawn", ...TINY, "--epochs", "3000", "--set", "patience=0"];
    const isResumable = async (out: string) => await epochOf(join(folder.path, out, "last.safetensors")) > 0;

    await t.step("SIGHUP", async () => {
      const task = startTask("train", [...args, "--out", "hangup"], { folder: folder.path });
      await task.printed(/^Epoch 1\/3000: train loss/m);
      task.press("SIGHUP");
      const { code, stdout } = await task.ended;
      assert.equal(code, INTERRUPTED);
      assert.match(stdout, /^Stopped in epoch \d+ after step \d+; resume with: /m);
      assert(await isResumable("hangup"));
    });
    await t.step("a killed parent", async () => {
      const under = ["sh", "-c", '"$@" & wait', "sh"];
      const task = startTask("train", [...args, "--out", "orphan"], { folder: folder.path, under });
      await task.printed(/^Epoch 1\/3000: train loss/m);
      task.kill();
      const { stdout, stderr } = await task.ended; // the training has closed the streams that it shares with sh
      assert.equal(stderr.trim(), "Stopping after this step: the process that started this one has ended");
      assert.match(stdout, /^Stopped in epoch \d+ after step \d+; resume with: /m);
      assert(await isResumable("orphan"));
    });
  },
});
