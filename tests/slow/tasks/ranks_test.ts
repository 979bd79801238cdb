import assert from "node:assert/strict";
import { join } from "node:path";
import { openCheckpoint } from "../../../src/checkpoint/checkpoint.ts";
import { freePort } from "../ffi/start_ranks.ts";
import { drawDataset, drawSquare, TINY } from "../../support/draw_dataset.ts";
import { assertDone, canRunTasks, type Ended, runTask, startTask, type TaskName } from "../../support/run_task.ts";
import { folderWithModel, MODEL } from "./start_server.ts";
import { findTorchrun } from "./torchrun.ts";

const ignore = !canRunTasks || (await Deno.permissions.query({ name: "net", host: "127.0.0.1" })).state !== "granted";
const torchrun = ignore ? undefined : await findTorchrun();

/** Settings without any randomness in a step. */
const PLAIN = [
  ...["--precision", "fp64", "--batch-size", "4", "--set", "batchNorm=frozen", "--set", "augmentation=none"],
  ...["--set", "embeddingDropout=0", "--set", "lstmDropout=0", "--set", "outputDropout=0", "--timeout", "30"],
];

/** Writes the process id of each rank to a file; torchrun replaces $$ by $. */
const PID_KEPT = ["sh", "-c", 'echo $$$$ > "$INIT_CWD/pid.$RANK"; exec "$@"', "sh"];

/** Runs a task as ranks on one machine, each with its own arguments. */
async function runRanks(
  task: TaskName,
  args: readonly (readonly string[])[],
  folder: string,
): Promise<Ended[]> {
  const port = String(freePort());
  return await Promise.all(args.map((given, rank) => {
    const env = {
      RANK: `${rank}`,
      WORLD_SIZE: `${args.length}`,
      LOCAL_RANK: `${rank}`,
      MASTER_ADDR: "127.0.0.1",
      MASTER_PORT: port,
    };
    return runTask(task, given, { folder, env });
  }));
}

async function metricsOf(run: string): Promise<Record<string, number>[]> {
  return (await Deno.readTextFile(join(run, "metrics.jsonl"))).trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test({
  name: "train gives the same metrics in two processes as in one, and only rank 0 writes and prints",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    const args = (out: string) => ["--data", "drawn", ...TINY, ...PLAIN, "--epochs", "2", "--out", out];
    const ranks = await runRanks("train", [args("two"), args("two")], folder.path);
    ranks.forEach(assertDone);
    const [first, second] = ranks;
    assert.match(first?.stdout ?? "", /^Epoch 2\/2: train loss/m);
    assert.equal(second?.stdout, "");
    assertDone(await runTask("train", args("one"), { folder: folder.path }));
    const [two, one] = await Promise.all(["two", "one"].map((name) => metricsOf(join(folder.path, name))));
    assert.equal(two?.length, 2);
    for (const [index, metrics] of two?.entries() ?? []) {
      for (const name of ["validationLoss", "mismatchedImageLossGap", "bleu4", "cider"]) {
        assert(
          Math.abs((metrics[name] ?? NaN) - (one?.[index]?.[name] ?? NaN)) < 1e-3,
          `${name} of epoch ${index + 1}`,
        );
      }
    }
  },
});

Deno.test({
  name: "train in two processes computes a frozen CNN's features once, and resumes in one process or three",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    const settings = ["--set", "frozenEpochs=1", "--batch-size", "6", "--epochs", "2"];
    const start = ["--data", "drawn", ...TINY, ...PLAIN, ...settings, "--out", "run"];
    (await runRanks("train", [start, start], folder.path)).forEach(assertDone);
    const features = [...Deno.readDirSync(join(folder.path, "cache", "features"))].map(({ name }) => name);
    assert.equal(features.filter((name) => name.endsWith(".sqlite")).length, 1);
    const config = join(folder.path, "run", "config.json");
    await Deno.writeTextFile(config, (await Deno.readTextFile(config)).replace('"epochs": 2', '"epochs": 3'));
    const last = join(folder.path, "run", "last.safetensors");
    {
      using checkpoint = await openCheckpoint(last);
      assert(checkpoint.tensors.has("rng.1"), "the random state of rank 1 is missing");
    }
    const resume = ["--resume", "run", "--cache", "cache"];
    const other = await runRanks("train", [resume, resume, resume], folder.path);
    // config.json now has other settings.
    for (const { code, stderr } of other) {
      assert.equal(code, 1);
      assert.match(stderr, /Cannot resume from .*the settings/);
    }
    await Deno.writeTextFile(config, (await Deno.readTextFile(config)).replace('"epochs": 3', '"epochs": 2'));
    (await runRanks("train", [resume, resume, resume], folder.path)).forEach(assertDone);
    assertDone(await runTask("train", resume, { folder: folder.path }));
  },
});

Deno.test({
  name: "processes with different options are refused with the difference, and if one fails, the others end",
  ignore,
  async fn() {
    await using folder = await drawDataset();
    const args = ["--data", "drawn", ...TINY, ...PLAIN, "--out", "run"];
    for (const { code, stderr } of await runRanks("train", [args, [...args, "--seed", "7"]], folder.path)) {
      assert.equal(code, 1);
      assert.match(stderr, /^error: Cannot work together: rank 1 differs from rank 0 in seed \(0; 7\).*\n$/);
    }
    const wrong = args.map((word) => word === "drawn" ? "gone" : word);
    const [first, second] = await runRanks("train", [args, wrong], folder.path);
    assert.match(second?.stderr ?? "", /^error: .*gone/);
    assert.match(
      first?.stderr ?? "",
      /^error: Cannot continue with the other processes: another process has ended or .*\n$/,
    );
    const [odd] = await runRanks(
      "train",
      [args, args, args, args].map((words) => [...words, "--batch-size", "6"]),
      folder.path,
    );
    assert.match(odd?.stderr ?? "", /a batch of 6 cannot be divided evenly among 4 processes; give --batch-size 8/);
  },
});

Deno.test({
  name: "caption and evaluate print the same in two processes as in one",
  ignore,
  async fn() {
    const images = Object.fromEntries(Array.from({ length: 20 }, (_, index) => {
      const name = `photos/${String(index).padStart(2, "0")}.png`;
      return [name, index === 17 ? "no image" : drawSquare("red", index % 18)];
    }));
    await using folder = await folderWithModel(images);
    const args = [...MODEL, "--jsonl", "photos"];
    const [first, second] = await runRanks("caption", [args, args], folder.path);
    const alone = await runTask("caption", args, { folder: folder.path });
    assert.deepEqual(first, alone);
    assert.equal(alone.stdout.split("\n").length, 20);
    assert.deepEqual(second, { code: 0, stdout: "", stderr: "" });

    await using drawn = await drawDataset({
      "best.safetensors": await Deno.readFile(join(folder.path, "best.safetensors")),
    });
    const scored = [...MODEL, "--data", "drawn", "--split", "all", "--json", "--quiet"];
    const [scores] = await runRanks("evaluate", [scored, scored], drawn.path);
    const one = await runTask("evaluate", scored, { folder: drawn.path });
    assert.equal(scores?.stderr, one.stderr);
    const numbers = (text: string) =>
      JSON.stringify(JSON.parse(text), (_, value) => typeof value === "number" ? Number(value.toPrecision(9)) : value);
    assert.equal(numbers(scores?.stdout ?? ""), numbers(one.stdout));
  },
});

Deno.test({
  name: "torchrun restarts the processes if one is killed, and the run ends with the same bytes as one undisturbed",
  ignore: torchrun === undefined,
  async fn() {
    const { command = [], env = {} } = torchrun ?? {};
    await using folder = await drawDataset();
    const torchrunOptions = [
      "--no-python",
      "--nproc-per-node",
      "2",
      "--max-restarts",
      "2",
      "--monitor-interval",
      "0.2",
    ];
    const under = [...command, ...torchrunOptions, ...PID_KEPT];
    const args = (out: string) => [
      ...["--data", "drawn", ...TINY, "--epochs", "12", "--set", "patience=0", "--image-size", "64"],
      ...["--batch-size", "6", "--checkpoint-every", "1", "--timeout", "30", "--out", out],
    ];
    const whole = await startTask("train", args("whole"), { folder: folder.path, under, env }).ended;
    assert.equal(whole.code, 0, whole.stderr);
    const task = startTask("train", args("killed"), { folder: folder.path, under, env });
    await task.printed(/^Epoch 3\/12: train loss/m);
    Deno.kill(Number(await Deno.readTextFile(join(folder.path, "pid.1"))), "SIGKILL");
    const { code, stdout, stderr } = await task.ended;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Resuming in epoch \d+ after step \d+$/m);
    const [killed, sound] = await Promise.all(
      ["killed", "whole"].map((name) => Deno.readFile(join(folder.path, name, "last.safetensors"))),
    );
    assert.deepEqual(killed?.length, sound?.length);
    assert(killed?.every((byte, index) => byte === sound?.[index]), "the checkpoints differ");
  },
});
