import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../../src/random.ts";
import { CACHE, drawDataset, TINY } from "../../support/draw_dataset.ts";
import { assertDone, canRunTasks, runTask, startTask } from "../../support/run_task.ts";

const ignore = !canRunTasks;

/** Every setting that uses random numbers or keeps state, in a run of ninety short steps. */
const EVERYTHING: readonly string[] = [
  ...["--batch-size", "4", "--epochs", "30", "--seed", "3", "--variant", "2f", "--finetune-after", "3"],
  ...["--set", "gradientAccumulationSteps=2", "--set", "augmentation=crop-flip", "--set", "embeddingDropout=0.2"],
  ...["--set", "lstmDropout=0.1", "--set", "outputDropout=0.3", "--set", "labelSmoothing=0.1"],
  ...["--set", "scheduledSampling=0.3", "--set", "schedule=plateau", "--set", "warmupSteps=5"],
  ...["--set", "plateauPatience=0", "--set", "patience=0", "--checkpoint-every", "1"],
];
/** Keys of `metrics.jsonl` that depend on the clock. */
const TIMING = ["seconds", "validationSeconds", "captionsPerSecond", "imagesPerSecond", "dataWaitFraction"];
/** Number of kills. */
const KILLS = 30;

async function digestOf(path: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path))).toHex();
}

async function untimedMetrics(run: string): Promise<Record<string, unknown>[]> {
  const lines = (await Deno.readTextFile(join(run, "metrics.jsonl"))).trimEnd().split("\n");
  return lines.map((line) =>
    Object.fromEntries(Object.entries(JSON.parse(line)).filter(([key]) => !TIMING.includes(key)))
  );
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * What a kill waits for, in turn, and the maximum delay in milliseconds after it: any moment after resuming, a step, a
 * validation, and a file that is being written.
 */
const MOMENTS: [RegExp | "write", number][] = [[/^Resuming|^Epoch/m, 150], [/: 1\/3,/, 15], [/: 3\/3,/, 15], [
  "write",
  0,
]];

/** What a process was doing when it ended, by its last line. */
function phaseOf(stdout: string): "start" | "step" | "validation" {
  const line = stdout.trimEnd().split("\n").at(-1) ?? "";
  if (!line.startsWith("Epoch")) return "start";
  return /: 3\/3,/.test(line) ? "validation" : "step";
}

/** Waits until a temporary file appears in a folder, or the process has ended. */
async function isWriting(folder: string, ended: Promise<unknown>): Promise<void> {
  using watcher = Deno.watchFs(folder, { recursive: false });
  ended.finally(() => watcher.close());
  for await (const { paths } of watcher) if (paths.some((path) => path.endsWith(".tmp"))) return;
}

/** Waits until a run has its first checkpoint; false if the process ended before. */
async function hasCheckpoint(run: string, ended: Promise<unknown>): Promise<boolean> {
  let running = true;
  ended.finally(() => running = false);
  while (running) {
    if (await Deno.stat(join(run, "last.safetensors")).then(() => true, () => false)) return true;
    await wait(2);
  }
  return false;
}

Deno.test({
  name: `train --resume gives the same result after ${KILLS} kills at any moment`,
  ignore,
  async fn() {
    await using folder = await drawDataset();
    const options = { folder: folder.path };
    const fresh = (out: string) => ["--data", "drawn", "--out", out, ...TINY, ...EVERYTHING];
    assertDone(await runTask("train", fresh("whole"), options));
    const whole = join(folder.path, "whole");
    const features = join(folder.path, "cache", "features");

    const random = new Random(11);
    const killedIn = { start: 0, step: 0, validation: 0, write: 0 };
    let [kills, runs] = [0, 0];
    while (kills < KILLS) {
      const name = `killed-${runs++}`;
      const run = join(folder.path, name);
      for (let args = fresh(name);; args = ["--resume", name, ...CACHE, "--checkpoint-every", "2"]) {
        const task = startTask("train", args, options);
        if (!await hasCheckpoint(run, task.ended)) assertDone(await task.ended);
        const [moment, maxDelay] = MOMENTS[kills % MOMENTS.length] ?? [/^/, 0];
        if (args[0] === "--resume") await (moment === "write" ? isWriting(run, task.ended) : task.printed(moment));
        await wait(random.next() * maxDelay);
        task.kill();
        const { code, stdout, stderr } = await task.ended;
        if (code === 0) break;
        assert.equal(stderr, "", "the process failed before it was killed");
        kills++;
        // The features of the frozen CNN are computed again, with the same values.
        if (kills % 7 === 0) await Deno.remove(features, { recursive: true }).catch(() => {});
        killedIn[namesIn(run).some((file) => file.endsWith(".tmp")) ? "write" : phaseOf(stdout)]++;
        if (kills >= KILLS) {
          assertDone(await runTask("train", ["--resume", name, ...CACHE], options));
          break;
        }
      }
      assert.deepEqual(namesIn(run), namesIn(whole));
      assert.equal(await digestOf(join(run, "last.safetensors")), await digestOf(join(whole, "last.safetensors")));
      assert.equal(await digestOf(join(run, "best.safetensors")), await digestOf(join(whole, "best.safetensors")));
      assert.deepEqual(await untimedMetrics(run), await untimedMetrics(whole));
    }
    console.log(`${kills} kills in ${runs} runs`, killedIn);
    const { step, validation, write } = killedIn;
    assert(step > 0 && validation > 0 && write > 0, "the kills missed a step, a validation, or the writing of a file");
  },
});
