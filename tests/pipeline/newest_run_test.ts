import assert from "node:assert/strict";
import { join } from "node:path";
import { newestCheckpoint } from "../../src/pipeline/newest_run.ts";
import { InputError } from "../../src/input_error.ts";
import { makeFolder } from "../support/temporary_folder.ts";
import { canRead, canWrite } from "../support/test_data.ts";

const ignore = !canRead || !canWrite;

function isRefusal(error: unknown): boolean {
  return error instanceof InputError &&
    /^Cannot choose a checkpoint: there is no run in '.*'; train one with/.test(error.message);
}

Deno.test({
  name: "newestCheckpoint() is the best of the run that was written last, whatever its name",
  ignore,
  async fn() {
    await using folder = await makeFolder({
      "a/best.safetensors": "",
      "b/best.safetensors": "",
      "c/last.safetensors": "",
      "notes.txt": "",
    });
    const [a, b] = ["a", "b"].map((run) => join(folder.path, run, "best.safetensors"));
    await Deno.utime(a ?? "", 2000, 2000);
    await Deno.utime(b ?? "", 1000, 1000);
    assert.equal(await newestCheckpoint(folder.path), a);
    await Deno.utime(b ?? "", 3000, 3000);
    assert.equal(await newestCheckpoint(folder.path), b);
  },
});

Deno.test({
  name: "newestCheckpoint() says what to do where there is no run, no folder, or a file in its place",
  ignore,
  async fn() {
    await using folder = await makeFolder({ "empty/config.json": "", "runs": "" });
    await assert.rejects(newestCheckpoint(folder.path), isRefusal);
    await assert.rejects(newestCheckpoint(join(folder.path, "none")), isRefusal);
    await assert.rejects(newestCheckpoint(join(folder.path, "runs")), isRefusal);
  },
});
