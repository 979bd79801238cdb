import assert from "node:assert/strict";
import { join } from "node:path";
import { Random } from "../../src/random.ts";
import { CACHE, drawDataset, TINY } from "../support/draw_dataset.ts";
import { assertDone, canRunTasks, runTask, startTask } from "../support/run_task.ts";

const ignore = !canRunTasks;

/** Every device that draws numbers or keeps a state, in a run of ninety short steps. */
const EVERYTHING: readonly string[] = [
  ...["--batch-size", "4", "--epochs", "30", "--seed", "3", "--variant", "2f", "--finetune-after", "3"],
  ...["--set", "accumulate=2", "--set", "augmentation=crop-flip", "--set", "embeddingDropout=0.2"],
  ...["--set", "lstmDropout=0.1", "--set", "outputDropout=0.3", "--set", "labelSmoothing=0.1"],
  ...["--set", "scheduledSampling=0.3", "--set", "schedule=plateau", "--set", "warmupSteps=5"],
  ...["--set", "plateauPatience=0", "--set", "patience=0", "--checkpoint-every", "1"],
];
/** Keys of `metrics.jsonl` that a clock decides. */
const TIMING = ["seconds", "validationSeconds", "captionsPerSecond", "imagesPerSecond", "dataWaitFraction"];
/** Kills that a run must outlive. */
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
 * What a kill waits for, in turn, and the most milliseconds after that: any moment, a step, a validation. The text is what
 * a process prints from the moment it goes on with the run; starting up takes no part in it.
 */
const MOMENTS: [RegExp, number][] = [[/^Going on|^Epoch/m, 150], [/: 1\/3,/, 15], [/: 3\/3,/, 15]];

/** What a process was at when it ended, by the last line that it printed. */
function phaseOf(stdout: string): "start" | "step" | "validation" {
  const line = stdout.trimEnd().split("\n").at(-1) ?? "";
  if (!line.startsWith("Epoch")) return "start";
  return /: 3\/3,/.test(line) ? "validation" : "step";
}

/** Waits until a run has its first checkpoint; false where the process ended before. */
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
  name: `train --resume goes on exactly after ${KILLS} kills at any moment`,
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
        const [text, longest] = MOMENTS[kills % MOMENTS.length] ?? [/^/, 0];
        if (args[0] === "--resume") await task.printed(text);
        await wait(random.next() * longest);
        task.kill();
        const { code, stdout, stderr } = await task.ended;
        if (code === 0) break;
        assert.equal(stderr, "", "the process ended by itself before it was killed");
        kills++;
        // What the frozen CNN saw is computed anew, and gives the same.
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
