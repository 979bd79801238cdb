import assert from "node:assert/strict";
import { join } from "node:path";
import { checkpointPath } from "../../src/cli/checkpoint_path.ts";
import { SHIPPED_NAME } from "../../src/pipeline/default_checkpoint.ts";
import { makeFolder } from "../support/temporary_folder.ts";
import { canRead, canWrite } from "../support/test_data.ts";

Deno.test({
  name: "checkpointPath() finds a file, a run by name or folder, and the model that ships",
  ignore: !(canRead && canWrite),
  async fn() {
    await using folder = await makeFolder({
      "model.pth": "",
      "runs/first/best.safetensors": "",
      "runs/model.pth/best.safetensors": "",
      "runs/new/config.json": "{}",
      "empty/notes.txt": "",
      "shipped": "",
    });
    const shipped = join(folder.path, "shipped");
    const find = async (given: string) => {
      const found = await checkpointPath(given, { path: (path) => join(folder.path, path), shipped });
      return found.slice(folder.path.length + 1);
    };
    assert.equal(await find("runs/first/best.safetensors"), "runs/first/best.safetensors");
    for (const run of ["first", "runs/first", "runs/first/"]) {
      assert.equal(await find(run), "runs/first/best.safetensors");
    }
    assert.equal(await find(SHIPPED_NAME), "shipped");
    await assert.rejects(find("new"), /^InputError: Cannot use the run '.*new': it has no best checkpoint yet/);
    for (const wrong of ["frist", "empty", "models/other.safetensors"]) {
      await assert.rejects(
        find(wrong),
        new RegExp(`^InputError: Cannot find a checkpoint '${wrong}': .*deno task runs$`),
      );
    }
    await Deno.mkdir(join(folder.path, "models"));
    await Deno.writeTextFile(join(folder.path, SHIPPED_NAME), "own");
    assert.equal(await find(SHIPPED_NAME), SHIPPED_NAME);
  },
});
