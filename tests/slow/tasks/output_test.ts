import assert from "node:assert/strict";
import { join } from "node:path";
import { drawDataset, FIRST_PICTURE, TINY } from "../../support/draw_dataset.ts";
import { assertRefused, canRunTasks, PROJECT, startTask, type TaskName } from "../../support/run_task.ts";

const ignore = !canRunTasks;
const CHECKPOINT = join(PROJECT, "tests/golden/checkpoint/captioner.safetensors");
const PICTURE = `drawn/Images/${FIRST_PICTURE}`;
const TRAINING = ["--data", "drawn", "--out", "run", ...TINY];

/** Runs the command with a shell's redirection. */
const redirected = (redirection: string) => ["sh", "-c", `exec "$@" ${redirection}`, "sh"];

Deno.test({
  name: "tasks refuse a full standard output in one line, and training goes on",
  ignore,
  async fn(t) {
    await using folder = await drawDataset();
    const options = { folder: folder.path, under: redirected(">/dev/full") };

    await t.step("train", async () => {
      const { code, stderr } = await startTask("train", TRAINING, options).ended;
      assert.equal(code, 0);
      assert.match(
        stderr,
        /^Warning: Cannot write to standard output: the disk is full; the task continues without it$/m,
      );
      assert((await Deno.stat(join(folder.path, "run", "best.safetensors"))).isFile);
    });
    const tasks: readonly (readonly [TaskName, readonly string[]])[] = [
      ["caption", ["--checkpoint", CHECKPOINT, PICTURE]],
      ["caption", ["--checkpoint", CHECKPOINT, "--json", "drawn/Images"]],
      ["inspect", [CHECKPOINT]],
      ["report", ["run"]],
      ["export", ["--checkpoint", CHECKPOINT, "--out", "model.pth"]],
      ["inspect", ["--help"]],
    ];
    for (const [task, args] of tasks) {
      await t.step(`${task} ${args[0]}`, async () => {
        assertRefused(
          await startTask(task, args, options).ended,
          /^error: Cannot write to standard output: the disk is full$/m,
        );
      });
    }
  },
});

Deno.test({
  name: "tasks end quietly if the reader of standard output has closed it",
  ignore,
  async fn(t) {
    await using folder = await drawDataset();
    // The reader of a named pipe opens it, and has ended before the task starts.
    const under = ["sh", "-c", 'mkfifo "$0.fifo"; true <"$0.fifo" & exec 3>"$0.fifo"; wait $!; exec "$@" >&3'];
    const tasks: readonly (readonly [TaskName, readonly string[]])[] = [
      ["train", TRAINING],
      ["caption", ["--checkpoint", CHECKPOINT, "--quiet", PICTURE]],
      ["inspect", ["--json", CHECKPOINT]],
      ["inspect", ["--help"]],
    ];
    for (const [index, [task, args]] of tasks.entries()) {
      await t.step(`${task} ${args[0]}`, async () => {
        const name = join(folder.path, String(index));
        const { code, stdout, stderr } = await startTask(task, args, { folder: folder.path, under: [...under, name] })
          .ended;
        assert.deepEqual({ code, stdout }, { code: 0, stdout: "" });
        assert.doesNotMatch(stderr, /error|roken/);
      });
    }
    assert((await Deno.stat(join(folder.path, "run", "best.safetensors"))).isFile);
  },
});

Deno.test({
  name: "tasks name the limit on open files, and a training that did not start leaves nothing",
  ignore,
  async fn(t) {
    await using folder = await drawDataset();
    const under = ["sh", "-c", 'ulimit -n 40; exec "$@"', "sh"];
    const tooMany = /^error: Cannot .*too many files are open, raise the limit by ulimit -n$/m;
    await t.step("caption", async () => {
      const args = ["--checkpoint", CHECKPOINT, PICTURE];
      assertRefused(await startTask("caption", args, { folder: folder.path, under }).ended, tooMany);
    });
    await t.step("train", async () => {
      assertRefused(await startTask("train", TRAINING, { folder: folder.path, under }).ended, tooMany);
      assert(![...Deno.readDirSync(folder.path)].some(({ name }) => name === "run"));
    });
  },
});

Deno.test({
  name: "tasks name the limit on file sizes and leave nothing half-written",
  ignore,
  async fn(t) {
    await using folder = await drawDataset();
    const under = ["sh", "-c", 'ulimit -f 128; exec "$@"', "sh"];
    const tooLarge = /Cannot write '[^']*': it is larger than the file system or ulimit -f allows, /;
    await t.step("export", async () => {
      const args = ["--checkpoint", CHECKPOINT, "--out", "model.pth"];
      assertRefused(await startTask("export", args, { folder: folder.path, under }).ended, tooLarge);
      assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["drawn"]);
    });
  },
});
