import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openCheckpoint, saveCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { InputError } from "../../src/input_error.ts";
import { defaultCheckpoint } from "../../src/pipeline/default_checkpoint.ts";
import { makeFolder, type TemporaryFolder } from "../support/temporary_folder.ts";
import { canRead, canWrite } from "../support/test_data.ts";

const ignore = !canRead || !canWrite;
const SMALL_CAPTIONER = fileURLToPath(new URL("../golden/checkpoint/captioner.safetensors", import.meta.url));

/** A folder of runs, each with a model of a recipe, or a text in its place; the last is the newest. */
async function withRuns(
  runs: Readonly<Record<string, "lrcn" | "sample" | { readonly text: string }>>,
): Promise<TemporaryFolder> {
  const names = Object.keys(runs).map((run) => [`runs/${run}/last.safetensors`, ""]);
  const folder = await makeFolder({ ...Object.fromEntries(names), "runs/notes.txt": "" });
  for (const [time, [run, model]] of Object.entries(runs).entries()) {
    const path = join(folder.path, "runs", run, "best.safetensors");
    if (typeof model === "object") await Deno.writeTextFile(path, model.text);
    else await writeModel(path, model);
    await Deno.utime(path, 1e6 + time, 1e6 + time);
  }
  return folder;
}

async function writeModel(path: string, recipe: string): Promise<void> {
  using checkpoint = await openCheckpoint(SMALL_CAPTIONER);
  const tensors = [...checkpoint.tensors].map(([name, tensor]) => ({ ...tensor, name }));
  await saveCheckpoint(path, { metadata: { ...checkpoint.metadata, recipe }, tensors });
}

/** Chooses, and returns the warnings as well. The model that ships is `shipped`, if it is there. */
async function choose({ path: folder }: TemporaryFolder) {
  const warnings: string[] = [];
  const options = { warn: (line: string) => void warnings.push(line), shipped: join(folder, "shipped") };
  using chosen = await defaultCheckpoint(join(folder, "runs"), options);
  const { path, name, ships, model } = chosen;
  assert.equal(model.path, path);
  return { chosen: { path, name, ships }, warnings };
}

Deno.test({
  name: "defaultCheckpoint() is the best of the run that was written last, whatever its name",
  ignore,
  async fn() {
    await using folder = await withRuns({ b: "lrcn", a: "lrcn" });
    const path = (run: string) => join(folder.path, "runs", run, "best.safetensors");
    assert.deepEqual(await choose(folder), {
      chosen: { path: path("a"), name: join("runs", "a"), ships: false },
      warnings: [],
    });
    await Deno.utime(path("b"), 2e6, 2e6);
    assert.equal((await choose(folder)).chosen.path, path("b"));
  },
});

Deno.test({
  name: "defaultCheckpoint() never chooses a model of rendered scenes, and takes the one that ships instead",
  ignore,
  async fn() {
    await using folder = await withRuns({ mine: "lrcn", scenes: "sample" });
    assert.equal((await choose(folder)).chosen.name, join("runs", "mine"));
    await Deno.remove(join(folder.path, "runs", "mine"), { recursive: true });
    await assert.rejects(
      choose(folder),
      /Cannot choose a checkpoint: models of rendered scenes.* by --checkpoint only/,
    );
    await writeModel(join(folder.path, "shipped"), "lrcn");
    assert.deepEqual((await choose(folder)).chosen, {
      path: join(folder.path, "shipped"),
      name: "models/flickr8k.safetensors",
      ships: true,
    });
  },
});

Deno.test({
  name: "defaultCheckpoint() skips files that cannot be read, with a line for each",
  ignore,
  async fn() {
    await using folder = await withRuns({ whole: "lrcn", cut: { text: "no model" } });
    const { chosen, warnings } = await choose(folder);
    assert.equal(chosen.name, join("runs", "whole"));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /^Warning: skipped a checkpoint: Cannot read '\S+cut\/best\.safetensors': [^\n]+$/);
  },
});

Deno.test({
  name: "defaultCheckpoint() says what to do where there is no run, no folder, or a file in its place",
  ignore,
  async fn() {
    for (const files of [{}, { "runs/empty/config.json": "" }, { "runs": "" }, { "runs/a/best.safetensors": "" }]) {
      await using folder = await makeFolder(files);
      await assert.rejects(choose(folder), (error) => {
        assert(error instanceof InputError);
        assert.match(
          error.message,
          /^Cannot choose a checkpoint: there is no usable run in '.*; train one with [^\n]+$/,
        );
        return true;
      });
    }
  },
});
