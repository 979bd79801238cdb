import assert from "node:assert/strict";
import { join } from "node:path";
import { drawDataset, FIRST_PICTURE, TINY } from "../../support/draw_dataset.ts";
import { assertDone, canRunTasks, runTask } from "../../support/run_task.ts";

const ignore = !canRunTasks;

/** Control characters, except tabs and line ends. */
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;

Deno.test({
  name: "train, caption and evaluate print no control character without a terminal, and only results with --quiet",
  ignore,
  async fn(t) {
    await using folder = await drawDataset();
    const where = { folder: folder.path };
    const best = join(folder.path, "out", "best.safetensors");
    const image = `drawn/Images/${FIRST_PICTURE}`;

    await t.step("train prints its progress", async () => {
      const ended = await runTask("train", ["--data", "drawn", "--out", "loud", ...TINY], where);
      assertDone(ended);
      assert.match(ended.stdout, /Epoch 1\/1/);
      assert.doesNotMatch(ended.stdout, CONTROL);
    });
    await t.step("train --quiet prints the best checkpoint's path", async () => {
      const ended = await runTask("train", ["--data", "drawn", "--out", "out", "--quiet", ...TINY], where);
      assert.deepEqual([ended.code, ended.stdout], [0, `${best}\n`]);
      for (const line of ended.stderr.trimEnd().split("\n")) {
        assert.match(line, /^(?:Warning|Skipped|No pretrained|$)/);
      }
    });
    await t.step("caption --quiet prints captions", async () => {
      const ended = await runTask("caption", ["--checkpoint", best, "--quiet", image, image], where);
      assertDone(ended);
      assert.deepEqual(ended.stdout.split("\n").map((line) => line.split("\t").length), [2, 2, 1]);
      assert.doesNotMatch(ended.stdout, CONTROL);
    });
    await t.step("evaluate --quiet prints scores", async () => {
      const args = ["--checkpoint", best, "--data", "drawn", "--quiet", "--split", "all"];
      const ended = await runTask("evaluate", args, where);
      assert.equal(ended.code, 0);
      assert.match(ended.stdout, /CIDEr/);
      assert.doesNotMatch(ended.stdout + ended.stderr, CONTROL);
      assert.doesNotMatch(ended.stderr, /\d+\/\d+/);
    });
  },
});
