import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../../src/input_error.ts";
import { makeRecipe } from "../../src/pipeline/recipe.ts";
import { type RunConfig, RunFolder } from "../../src/pipeline/run_folder.ts";
import { namesIn, NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";

const CONFIG: RunConfig = {
  recipe: makeRecipe("lrcn", { epochs: 3 }),
  seed: 7,
  device: "cpu",
  precision: "bf16",
  threads: 2,
  encoderWeights: "/weights/resnet50.pth",
  initialWeights: null,
  initialWords: null,
  dataset: { data: "/data", maxImages: 40 },
  datasetFingerprint: "0123",
  vocabularySize: 99,
};

function folderTest(name: string, fn: (path: string) => Promise<void>): void {
  Deno.test({
    name,
    ...NEEDS_FILES,
    async fn() {
      await using folder = await temporaryFolder();
      await fn(folder.path);
    },
  });
}

folderTest("RunFolder.create() writes what the run was told, and readConfig() gives it back", async (path) => {
  const folder = new RunFolder(join(path, "runs", "first"));
  (await folder.create(CONFIG)).move();
  assert.deepEqual(await folder.readConfig(), CONFIG);
  assert.deepEqual(namesIn(folder.path), ["config.json"]);
});

folderTest("RunFolder.create() takes away what it made when the run does not begin", async (path) => {
  const folder = new RunFolder(join(path, "run"));
  {
    await using _undo = await folder.create(CONFIG);
    assert.deepEqual(namesIn(path), ["run"]);
  }
  assert.deepEqual(namesIn(path), []);
  await Deno.mkdir(folder.path);
  {
    await using _undo = await folder.create(CONFIG);
  }
  assert.deepEqual([namesIn(path), namesIn(folder.path)], [["run"], []], "a folder that was there stays");
});

folderTest("RunFolder.create() refuses a folder that holds a run, and says how to resume it", async (path) => {
  await Deno.writeTextFile(join(path, "config.json"), "{}");
  await assert.rejects(
    new RunFolder(path).create(CONFIG),
    (error) => error instanceof InputError && /holds a run already; resume it by --resume/.test(error.message),
  );
  assert.equal(await Deno.readTextFile(join(path, "config.json")), "{}");
});

folderTest("RunFolder.readConfig() refuses a folder without a run, and names a field that is wrong", async (path) => {
  const folder = new RunFolder(path);
  const refuses = (message: RegExp) =>
    assert.rejects(folder.readConfig(), (error) => error instanceof InputError && message.test(error.message));
  await refuses(/^Cannot resume '.*': 'config\.json' cannot be read \(there is no such file/);
  for (
    const [change, field] of [
      [{ seed: -1 }, "seed"],
      [{ recipe: { ...CONFIG.recipe, epochs: undefined } }, "recipe"],
      [{ device: "tpu" }, "device"],
    ] as const
  ) {
    await Deno.writeTextFile(folder.file("config"), JSON.stringify({ version: 2, ...CONFIG, ...change }));
    if (field !== "recipe") await refuses(new RegExp(`the field '${field}' is wrong`));
  }
  await Deno.writeTextFile(folder.file("config"), JSON.stringify(CONFIG));
  await refuses(/^Cannot resume '.*': another version of lrcn wrote this run; train again$/);
  await Deno.writeTextFile(folder.file("config"), "no JSON");
  await refuses(/is wrong/);
});

folderTest("RunFolder keeps the metrics of the first epochs, whatever stands after them", async (path) => {
  const folder = new RunFolder(path);
  assert.deepEqual(await folder.readMetrics(3), []);
  await folder.writeMetrics(['{"epoch":1}', '{"epoch":2}', '{"epoch":3}']);
  assert.deepEqual(await folder.readMetrics(2), ['{"epoch":1}', '{"epoch":2}']);
  await Deno.writeTextFile(folder.file("metrics"), '{"epoch":1}\n{"epo');
  assert.deepEqual(await folder.readMetrics(1), ['{"epoch":1}']);
});

folderTest("RunFolder.readMetrics() refuses what is no epoch's line, and drops epochs after the last", async (path) => {
  const folder = new RunFolder(path);
  const read = async (text: string, epochs: number) => {
    await Deno.writeTextFile(folder.file("metrics"), text);
    return await folder.readMetrics(epochs);
  };
  for (
    const [text, line] of [
      ["garbage\n", 1],
      ['{"epoch":1}\n{"epo\n', 2],
      ['{"epoch":1}\n{"epoch":1}\n', 2],
      ['{"epoch":2}\n{"epoch":1}\n', 2],
      ['{"epoch":0}\n', 1],
      ['{"epoch":9007199254740993}\n', 1],
      ["[1]\n", 1],
    ] as const
  ) {
    await assert.rejects(read(text, 2), {
      name: "InputError",
      message: `Cannot resume '${path}': line ${line} of 'metrics.jsonl' is not an epoch's; correct or remove the file`,
    });
  }
  // The file was removed after epoch 2, and written again.
  assert.deepEqual(await read('{"epoch":3}\n{"epoch":4}\n', 4), ['{"epoch":3}', '{"epoch":4}']);
  assert.deepEqual(await read('{"epoch":3}\n{"epoch":4}\n', 3), ['{"epoch":3}']);
});

folderTest("RunFolder.sweep() removes what a killed process left half-written, and nothing else", async (path) => {
  const folder = new RunFolder(path);
  const left = `.last.safetensors.${crypto.randomUUID()}.tmp`;
  for (const name of [left, "last.safetensors", "notes.tmp", ".hidden"]) await Deno.writeTextFile(join(path, name), "");
  await folder.sweep();
  assert.deepEqual(namesIn(path), [".hidden", "last.safetensors", "notes.tmp"]);
});

folderTest("RunFolder.create() lets one of many begin at once, and leaves its file to it", async (path) => {
  const begun = await Promise.allSettled(
    Array.from({ length: 8 }, (_, seed) => new RunFolder(path).create({ ...CONFIG, seed })),
  );
  const winner = begun.findIndex(({ status }) => status === "fulfilled");
  for (const [index, result] of begun.entries()) {
    if (result.status === "fulfilled") assert.equal(index, winner);
    else assert.match(String(result.reason), /holds a run already/);
  }
  assert.deepEqual(namesIn(path), ["config.json"]);
  assert.equal((await new RunFolder(path).readConfig()).seed, winner);
});

folderTest("RunFolder.lock() refuses a second training in the same folder until the first one ends", async (path) => {
  const folder = new RunFolder(join(path, "run"));
  (await folder.create(CONFIG)).move();
  {
    using _lock = await folder.lock();
    await assert.rejects(
      new RunFolder(folder.path).lock(),
      (error) =>
        error instanceof InputError && /another process trains into it now; wait for it to end/.test(error.message),
    );
  }
  (await folder.lock())[Symbol.dispose]();
});
