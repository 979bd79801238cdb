import assert from "node:assert/strict";
import { join } from "node:path";
import { drawDataset, FIRST_PICTURE, TINY } from "./drawn_dataset.ts";
import { assertDone, assertRefused, canRunTasks, commandOf, runTask } from "./run_task.ts";
import config from "../../deno.json" with { type: "json" };

const ignore = !canRunTasks;
const TASKS = Object.keys(config.tasks) as (keyof typeof config.tasks)[];

function flagsOf(task: keyof typeof config.tasks): string[] {
  return commandOf(task).filter((word) => /^-/.test(word));
}

Deno.test("no task has all permissions but build", () => {
  for (const task of TASKS) {
    const all = flagsOf(task).filter((flag) => /^(--allow-all|-[a-zA-Z]*A[a-zA-Z]*)$/.test(flag));
    assert.deepEqual(all, task === "build" ? ["-A"] : [], task);
  }
});

Deno.test("each task may load the one native library and no other", () => {
  for (const task of TASKS.filter((name) => name !== "build")) {
    const ffi = flagsOf(task).filter((flag) => flag.startsWith("--allow-ffi"));
    assert.deepEqual(ffi, ["--allow-ffi=native/build/liblrcn.so"], task);
  }
});

Deno.test("train and caption may start no program and reach no network", () => {
  for (const task of ["train", "caption"] as const) {
    for (const flag of flagsOf(task)) assert.match(flag, /^--allow-(ffi|read|write|env)(=|$)/);
  }
  assert(!flagsOf("caption").some((flag) => flag.startsWith("--allow-write")));
});

Deno.test({
  name: "train and caption need each of their permissions, and name the missing one in one line",
  ignore,
  async fn(t) {
    await using folder = await drawDataset();
    const tasks = {
      train: ["--data", "drawn", "--out", "out", ...TINY],
      caption: ["--checkpoint", "out/best.safetensors", `drawn/Images/${FIRST_PICTURE}`],
    };
    for (const task of ["train", "caption"] as const) {
      for (const flag of flagsOf(task)) {
        await t.step(`${task} without ${flag}`, async () => {
          const ended = await runTask(task, tasks[task], { folder: folder.path, without: flag });
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
