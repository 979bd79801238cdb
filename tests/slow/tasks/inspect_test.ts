import assert from "node:assert/strict";
import { join } from "node:path";
import { makeFolder } from "../../support/temporary_folder.ts";
import { assertDone, assertRefused, canRunTasks, PROJECT, runTask } from "../../support/run_task.ts";

const ignore = !canRunTasks;
const GOLDEN = join(PROJECT, "tests/golden/checkpoint");

Deno.test({
  name: "inspect prints a line for each fact and each tensor of a checkpoint",
  ignore,
  async fn() {
    const ended = await runTask("inspect", ["captioner.safetensors"], { folder: GOLDEN });
    assertDone(ended);
    for (const line of [/^recipe +lrcn$/m, /^epoch +8$/m, /^tensors +111$/m, /^linear\.bias +F32 +\[16\]$/m]) {
      assert.match(ended.stdout, line);
    }
  },
});

Deno.test({
  name: "inspect --json prints one object",
  ignore,
  async fn() {
    const file = join(GOLDEN, "captioner.safetensors");
    const ended = await runTask("inspect", ["--json", file], { folder: GOLDEN });
    assertDone(ended);
    const { tensors, checkpoint, ...rest } = JSON.parse(ended.stdout);
    const { size: bytes } = await Deno.stat(file);
    assert.deepEqual(rest, { file, format: "safetensors", bytes, parameters: 35804, metadata: {} });
    assert.equal(tensors.length, 111);
    assert.deepEqual(tensors.find(({ name }: { name: string }) => name === "linear.bias"), {
      name: "linear.bias",
      dtype: "F32",
      shape: [16],
    });
    assert.equal(checkpoint.vocabulary.length, 16);
  },
});

Deno.test({
  name: "inspect refuses what it cannot read in one line",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "captions.txt": "image,caption\n", "sub/a": "" });
    const refusals: [args: string[], line: RegExp][] = [
      [["captions.txt"], /Cannot read '\S+captions\.txt': it is cut off or not a safetensors file/],
      [["gone.pth"], /Cannot read '\S+gone\.pth': there is no such file or folder, check the path$/m],
      [["sub"], /Cannot read '\S+sub': it is not a file$/m],
      [[], /missing required argument 'file'$/m],
    ];
    for (const [args, line] of refusals) {
      assertRefused(await runTask("inspect", args, { folder: folder.path }), line);
    }
  },
});
