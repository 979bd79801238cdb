import assert from "node:assert/strict";
import { join } from "node:path";
import { RENDEZVOUS_VARIABLES } from "../../src/ffi/rendezvous.ts";
import { makeFolder } from "../support/temporary_folder.ts";
import { drawDataset, FIRST_PICTURE, TINY } from "../support/draw_dataset.ts";
import { assertDone, assertRefused, canRunTasks, commandOf, PROJECT, runTask } from "../support/run_task.ts";
import config from "../../deno.json" with { type: "json" };

const ignore = !canRunTasks;
const TASKS = Object.keys(config.tasks) as (keyof typeof config.tasks)[];

const RESNET50_WEIGHTS = [
  ...["--encoder-weights", "imagenet", "--set", "encoderWidth=64", "--set", "encoderBlocks=3,4,6,3"],
];

function flagsOf(task: keyof typeof config.tasks): string[] {
  return commandOf(task).filter((word) => /^-/.test(word));
}

Deno.test("only build and the browser tests have all permissions", () => {
  for (const task of TASKS) {
    const all = flagsOf(task).filter((flag) => /^(--allow-all|-[a-zA-Z]*A[a-zA-Z]*)$/.test(flag));
    assert.deepEqual(all, ["build", "test:browser"].includes(task) ? ["-A"] : [], task);
  }
});

Deno.test("tasks that compute may load the native library and no other; the rest, none", () => {
  for (const task of TASKS.filter((name) => name !== "build" && name !== "test:browser")) {
    const ffi = flagsOf(task).filter((flag) => flag.startsWith("--allow-ffi"));
    const computes = !["inspect", "export", "cache", "tokenize", "report", "runs"].includes(task);
    assert.deepEqual(ffi, computes ? ["--allow-ffi=native/build/liblrcn.so"] : [], task);
  }
});

Deno.test("caption may read and write, and nothing else; train may reach only PyTorch's downloads; doctor, retrieve and explain, no network; evaluate may run only Java", () => {
  for (const flag of flagsOf("caption")) assert.match(flag, /^--allow-(ffi|read|write|env)(=|$)/);
  for (const flag of flagsOf("train")) {
    assert.match(flag, /^--allow-((ffi|read|write|env)(=|$)|sys=statfs$|net=download\.pytorch\.org$)/);
  }
  for (const flag of flagsOf("evaluate")) assert.match(flag, /^--allow-((ffi|read|write|env)(=|$)|run=java$)/);
  for (const task of ["retrieve", "explain"] as const) {
    for (const flag of flagsOf(task)) assert.match(flag, /^--allow-(ffi|read|write|env)(=|$)/);
  }
  for (const flag of flagsOf("doctor")) {
    assert.match(flag, /^--allow-((ffi|read|write|env)(=|$)|sys=statfs,systemMemoryInfo$)/);
  }
});

Deno.test("tasks that torchrun can start may read its variables; the others, only the user's working directory", () => {
  for (const task of ["train", "caption", "evaluate"] as const) {
    const [flag = ""] = flagsOf(task).filter((flag) => flag.startsWith("--allow-env"));
    assert.deepEqual(flag, `--allow-env=${["INIT_CWD", ...RENDEZVOUS_VARIABLES].join(",")}`, task);
  }
  for (const task of ["explain", "retrieve", "serve", "label", "doctor"] as const) {
    assert(flagsOf(task).includes("--allow-env=INIT_CWD"), task);
  }
});

Deno.test("serve may listen on this machine's addresses, write nothing and start no program", () => {
  const addresses = "--allow-net=127.0.0.1,localhost,[::1],0.0.0.0,[::]";
  for (const flag of flagsOf("serve").filter((flag) => flag !== addresses)) {
    assert.match(flag, /^--(unstable-no-legacy-abort$|allow-(ffi|read|env)(=|$))/);
  }
});

Deno.test("label may listen on this machine alone, and start no program; it gives up writing but beside its file", () => {
  for (const flag of flagsOf("label").filter((flag) => flag !== "--allow-net=127.0.0.1")) {
    assert.match(flag, /^--(unstable-(no-legacy-abort|worker-options)$|allow-(ffi|read|write|env)(=|$))/);
  }
});

Deno.test("bench may start Python, and reach no network", () => {
  for (const flag of flagsOf("bench")) assert.match(flag, /^--allow-(ffi|read|write|env|run|sys)(=|$)/);
});

Deno.test("inspect and runs may read, export, cache and report read and write, tokenize does neither, and none anything else", () => {
  assert.deepEqual(flagsOf("inspect"), ["--allow-read", "--allow-env=INIT_CWD"]);
  assert.deepEqual(flagsOf("runs"), ["--allow-read", "--allow-env=INIT_CWD"]);
  assert.deepEqual(flagsOf("tokenize"), ["--no-prompt"]);
  for (const task of ["export", "cache", "report"] as const) {
    assert.deepEqual(flagsOf(task), ["--allow-read", "--allow-write", "--allow-env=INIT_CWD"]);
  }
});

Deno.test({
  name: "train and caption need each of their permissions, and name the missing one in one line",
  ignore,
  async fn(t) {
    await using folder = await drawDataset();
    const tasks = {
      train: ["--data", "drawn", "--out", "out", ...TINY],
      caption: ["--checkpoint", "out/best.safetensors", "--sidecar", "txt", `drawn/Images/${FIRST_PICTURE}`],
    };
    for (const task of ["train", "caption"] as const) {
      // Without statfs, training runs but does not check the free space first.
      for (const flag of flagsOf(task).filter((flag) => flag !== "--allow-sys=statfs")) {
        await t.step(`${task} without ${flag}`, async () => {
          // Only missing weights need a connection.
          const weights = flag.startsWith("--allow-net") ? RESNET50_WEIGHTS : [];
          const options = { folder: folder.path, without: flag };
          const ended = await runTask(task, [...tasks[task], ...weights], options);
          const [name = ""] = flag.split("=");
          assertRefused(ended, new RegExp(`${name}\\b`));
          if (task === "train") await assert.rejects(Deno.stat(join(folder.path, "out")), Deno.errors.NotFound);
        });
      }
      await t.step(`${task} with all of them`, async () => {
        assertDone(await runTask(task, tasks[task], { folder: folder.path }));
      });
    }
  },
});

Deno.test({
  name: "inspect and export need each of their permissions, and name the missing one in one line",
  ignore,
  async fn(t) {
    const checkpoint = await Deno.readFile(join(PROJECT, "tests/golden/checkpoint/captioner.safetensors"));
    await using folder = await makeFolder({ "best.safetensors": checkpoint });
    const tasks = {
      inspect: ["best.safetensors"],
      export: ["--checkpoint", "best.safetensors", "--out", "model.pth"],
    };
    for (const task of ["inspect", "export"] as const) {
      for (const flag of flagsOf(task)) {
        await t.step(`${task} without ${flag}`, async () => {
          const ended = await runTask(task, tasks[task], { folder: folder.path, without: flag });
          const [name = ""] = flag.split("=");
          assertRefused(ended, new RegExp(`${name}\\b`));
          await assert.rejects(Deno.stat(join(folder.path, "model.pth")), Deno.errors.NotFound);
        });
      }
      await t.step(`${task} with all of them`, async () => {
        assertDone(await runTask(task, tasks[task], { folder: folder.path }));
      });
    }
  },
});
