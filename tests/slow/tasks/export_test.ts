import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { readPth } from "../../../src/checkpoint/pth.ts";
import { stateDictLayout } from "../../../src/checkpoint/model_shape.ts";
import { openCheckpoint } from "../../../src/checkpoint/checkpoint.ts";
import { readSafetensors } from "../../../src/checkpoint/safetensors.ts";
import { readVocabularyFile } from "../../../src/checkpoint/vocabulary_file.ts";
import { makeFolder, type TemporaryFolder } from "../../support/temporary_folder.ts";
import { drawSquare } from "../../support/draw_dataset.ts";
import { assertDone, assertRefused, canRunTasks, PROJECT, runTask } from "../../support/run_task.ts";

const ignore = !canRunTasks;
const SMALL_CAPTIONER = join(PROJECT, "tests/golden/checkpoint/captioner.safetensors");

/** A folder with a run and an image. */
async function withRun(): Promise<TemporaryFolder> {
  return await makeFolder({
    "runs/first/best.safetensors": await Deno.readFile(SMALL_CAPTIONER),
    "red.png": drawSquare("red", 0),
  });
}

async function digest(path: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path))).toHex();
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

Deno.test({
  name: "export writes the newest run's best checkpoint for PyTorch, and its vocabulary beside it",
  ignore,
  async fn() {
    await using folder = await withRun();
    assertDone(await runTask("export", ["--out", "model.pth"], { folder: folder.path }));
    assert.deepEqual(await namesIn(folder.path), ["model.pth", "model.vocab.json", "red.png", "runs"]);
    using checkpoint = await openCheckpoint(SMALL_CAPTIONER);
    const { model, vocabulary, preprocessing, decoding } = checkpoint.metadata;
    using file = await readPth(join(folder.path, "model.pth"));
    const { tensors } = file;
    assert.deepEqual([...tensors.keys()], [...stateDictLayout(model).keys()]);
    for (const [name, tensor] of tensors) {
      const original = await checkpoint.tensors.get(name)?.read();
      assert.equal((await tensor.read()).toHex(), original?.toHex(), name);
    }
    assert.deepEqual(
      await readVocabularyFile(join(folder.path, "model.vocab.json")),
      { vocabulary, preprocessing, decoding },
    );
  },
});

Deno.test({
  name: "export writes a checkpoint in half precision that captions alike",
  ignore,
  async fn() {
    await using folder = await withRun();
    const [half, full] = [["--out", "half.safetensors", "--dtype", "float16"], ["--out", "full.safetensors"]];
    for (const args of [half, full]) {
      assertDone(await runTask("export", ["--format", "checkpoint", ...args], { folder: folder.path }));
    }
    assert.deepEqual(await namesIn(folder.path), ["full.safetensors", "half.safetensors", "red.png", "runs"]);
    using original = await openCheckpoint(SMALL_CAPTIONER);
    using small = await openCheckpoint(join(folder.path, "half.safetensors"));
    const { training: _state, ...metadata } = original.metadata;
    assert.deepEqual(small.metadata, metadata);
    assert.deepEqual([...small.tensors.keys()].sort(), [...stateDictLayout(metadata.model).keys()].sort());
    for (const { dtype } of small.tensors.values()) assert(["F16", "I64"].includes(dtype), dtype);
    const captions = await Promise.all(["half", "full"].map(async (name) => {
      const args = ["--checkpoint", `${name}.safetensors`, "--device", "cpu", "red.png"];
      const result = await runTask("caption", args, { folder: folder.path });
      assertDone(result);
      return result.stdout;
    }));
    assert.equal(captions[0], captions[1]);
  },
});

Deno.test({
  name: "export takes the format from --format, else from the extension, and the vocabulary's path from --vocabulary",
  ignore,
  async fn() {
    await using folder = await withRun();
    const [named, ended] = ["weights.bin", "model.safetensors"];
    const args = [
      "--checkpoint",
      SMALL_CAPTIONER,
      "--out",
      named,
      "--format",
      "safetensors",
      "--vocabulary",
      "words.json",
    ];
    assertDone(await runTask("export", args, { folder: folder.path }));
    assertDone(await runTask("export", ["--out", ended], { folder: folder.path }));
    assert.deepEqual(await namesIn(folder.path), [
      ...["model.safetensors", "model.vocab.json", "red.png", "runs", "weights.bin", "words.json"],
    ]);
    for (const [name, vocabularyFile] of [[named, "words.json"], [ended, "model.vocab.json"]] as const) {
      using file = await readSafetensors(join(folder.path, name));
      const { vocabulary } = await readVocabularyFile(join(folder.path, vocabularyFile));
      const digest = createHash("sha256").update(JSON.stringify(vocabulary)).digest("hex");
      assert.deepEqual({ ...file.metadata }, { format: "pt", vocabulary_sha256: digest });
      assert.equal(file.tensors.size, 111);
    }
  },
});

Deno.test({
  name: "export overwrites files only with --force, and never the checkpoint",
  ignore,
  async fn() {
    await using folder = await withRun();
    await Deno.writeTextFile(join(folder.path, "model.vocab.json"), "mine");
    const run = (...args: string[]) => runTask("export", args, { folder: folder.path });
    assertRefused(
      await run("--out", "model.pth"),
      /Cannot export to '\S+model\.vocab\.json': it exists already; choose another or replace it with --force$/m,
    );
    assert.deepEqual(await namesIn(folder.path), ["model.vocab.json", "red.png", "runs"]);
    assert.equal(await Deno.readTextFile(join(folder.path, "model.vocab.json")), "mine");
    assertDone(await run("--out", "model.pth", "--force"));
    assertDone(await run("--out", "model.pth", "--force"));
    const three = /the checkpoint, the weights and the vocabulary must be different files; choose another$/m;
    assertRefused(await run("--out", "runs/first/best.safetensors", "--force"), three);
    assertRefused(await run("--out", "new.pth", "--vocabulary", "new.pth", "--force"), three);
    assertRefused(await run("--out", "new.pth", "--fraction", "0.2"), /Cannot use --fraction without --average/);
    assertRefused(
      await run("--out", "new.pth", "--average", "red.png", "--fraction", "2"),
      /Give a number from 0 to 1/,
    );
    assert.equal(await digest(join(folder.path, "runs/first/best.safetensors")), await digest(SMALL_CAPTIONER));
  },
});

Deno.test({
  name: "caption writes the same with exported weights as with the checkpoint",
  ignore,
  async fn() {
    await using folder = await withRun();
    const caption = async (...args: string[]) => {
      const ended = await runTask("caption", ["--jsonl", ...args, "red.png"], { folder: folder.path });
      assertDone(ended);
      const { model: _, ...caption } = JSON.parse(ended.stdout);
      return caption;
    };
    const expected = await caption();
    for (const out of ["model.pth", "model.safetensors"]) {
      assertDone(await runTask("export", ["--out", out, "--vocabulary", `${out}.json`], { folder: folder.path }));
      assert.deepEqual(await caption("--checkpoint", out, "--vocabulary", `${out}.json`), expected);
    }
    const bare = await runTask("caption", ["--checkpoint", "model.pth", "red.png"], { folder: folder.path });
    assertRefused(bare, /it holds weights without a vocabulary; name the vocabulary's file with --vocabulary$/m);
  },
});

const refusals: Record<string, { args: readonly string[]; line: RegExp }> = {
  "a call without --out": { args: [], line: /required option '--out <file>' not specified$/m },
  "an unknown extension": {
    args: ["--out", "model.bin"],
    line: /Cannot export to '\S+model\.bin': its extension names no format; give --format pth or safetensors$/m,
  },
  "an unknown format": {
    args: ["--out", "model.pth", "--format", "onnx"],
    line:
      /option '--format <format>' argument 'onnx' is invalid\. Allowed choices are pth, safetensors, checkpoint\.$/m,
  },
  "a missing folder": {
    args: ["--out", "gone/model.pth"],
    line: /Cannot write '\S+gone\/model\.pth': there is no such file or folder, check the path$/m,
  },
  "a file that is not a checkpoint": {
    args: ["--checkpoint", "red.png", "--out", "model.pth"],
    line: /Cannot read '\S+red\.png': .*; give a file 'best\.safetensors'/,
  },
};

for (const [what, { args, line }] of Object.entries(refusals)) {
  Deno.test({
    name: `export refuses ${what} in one line, and writes nothing`,
    ignore,
    async fn() {
      await using folder = await withRun();
      assertRefused(await runTask("export", args, { folder: folder.path }), line);
      assert.deepEqual(await namesIn(folder.path), ["red.png", "runs"]);
    },
  });
}
