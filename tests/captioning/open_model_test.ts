import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findSpecialWords } from "../../src/text/vocabulary.ts";
import { openModel } from "../../src/captioning/open_model.ts";
import { openCheckpoint, saveCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { exportModel } from "../../src/checkpoint/export_model.ts";
import { writePth } from "../../src/checkpoint/pth.ts";
import { InputError } from "../../src/input_error.ts";
import { NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";
import { modelSettings } from "../support/golden_batch.ts";
import { CASES, INTERCHANGE } from "../golden/interchange.ts";

const SMALL_CAPTIONER = fileURLToPath(new URL("../golden/checkpoint/captioner.safetensors", import.meta.url));
const SPECIALS = ["<pad>", "<unk>", "<start>", "<end>"];

async function open(weights: string, vocabulary: unknown, warn?: (line: string) => void) {
  await using folder = await temporaryFolder();
  const path = folder.file("vocab.json");
  await Deno.writeTextFile(path, JSON.stringify(vocabulary));
  return await openModel(join(INTERCHANGE, weights), { vocabulary: path, warn });
}

Deno.test("findSpecialWords() finds them by name at any position", () => {
  const words = ["a", "<end>", "<start>", "<pad>"];
  assert.deepEqual(findSpecialWords(words), { words, pad: 3, unknown: undefined, start: 2, end: 1 });
});

Deno.test({
  name: "openModel() takes special tokens at any position, and fewer words than the output layer has",
  ...NEEDS_FILES,
  async fn() {
    using model = await open("torch_1u_every.pth", { "a": 0, "<end>": 1, "<start>": 2, "<unk>": 3, "<pad>": 4 });
    const { words, ...specials } = model.vocabulary;
    assert.deepEqual(words, ["a", "<end>", "<start>", "<unk>", "<pad>"]);
    assert.deepEqual(specials, { pad: 4, unknown: 3, start: 2, end: 1 });
    assert.deepEqual(model.metadata, {
      model: modelSettings(CASES["1u_every"]),
      vocabulary: words,
      preprocessing: { imageSize: 224, shortSide: 256, applyExif: true },
      decoding: { maxLength: 20, beamSize: 3 },
    });
  },
});

const REFUSED: Record<string, [weights: string, vocabulary: unknown, message: RegExp]> = {
  "more words than the output layer has": [
    "torch_1u_every.pth",
    [...SPECIALS, ..."abcdefgh"],
    /vocab\.json': it has 12 words, but the model's output layer has 11; give the vocabulary that it was trained with$/,
  ],
  "words without <end>": [
    "torch_1u_every.pth",
    ["<pad>", "<unk>", "<start>", "a"],
    /it has no '<start>' and '<end>'; .* \{"words": \.\.\., "decoding": \{"firstWord": "a"\}\}$/,
  ],
  "the notebook's words without a first one": ["torch_notebook.pth", ["<pad>", "<unk>", "a"], /"firstWord": "a"/],
  "a first word for a model that takes the image at every step": [
    "torch_1u_every.pth",
    { words: [...SPECIALS, "a"], decoding: { firstWord: "a" } },
    /"firstWord" is for models whose image comes first, .*; remove it$/,
  ],
  "a first word without padding": [
    "torch_notebook.pth",
    { words: ["a", "b"], decoding: { firstWord: "a" } },
    /it has no '<pad>', which ends captions/,
  ],
};

for (const [what, [weights, vocabulary, message]] of Object.entries(REFUSED)) {
  Deno.test({
    name: `openModel() refuses ${what} in one line`,
    ...NEEDS_FILES,
    async fn() {
      await assert.rejects(open(weights, vocabulary), (error) => {
        assert(error instanceof InputError);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    },
  });
}

for (const file of ["torch_2f_first.pth", "lrcn_2f_first.safetensors"]) {
  Deno.test({
    name: `openModel() asks for the vocabulary of ${file}`,
    ...NEEDS_FILES,
    async fn() {
      const path = join(INTERCHANGE, file);
      await assert.rejects(openModel(path), {
        name: "InputError",
        message:
          `Cannot read '${path}': it holds weights without a vocabulary; name the vocabulary's file with --vocabulary`,
      });
    },
  });
}

Deno.test({
  name: "openModel() refuses tensors that are larger than their file",
  ...NEEDS_FILES,
  async fn() {
    await assert.rejects(open("torch_expanded.pth", SPECIALS), {
      name: "InputError",
      message: /torch_expanded\.pth': its tensors take \d+ bytes, the file has \d+$/,
    });
  },
});

Deno.test({
  name: "openModel() refuses a checkpoint whose metadata describes another model, before allocating it",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("best.safetensors");
    using sound = await openCheckpoint(SMALL_CAPTIONER);
    const tensors = Array.from(sound.tensors, ([name, tensor]) => ({ ...tensor, name }));
    const model = { ...sound.metadata.model, hiddenSize: 12_000 };
    await saveCheckpoint(path, { metadata: { ...sound.metadata, model }, tensors });
    await assert.rejects(openModel(path), (error) => {
      assert(error instanceof InputError);
      assert(
        error.message.startsWith(`Cannot load weights from '${path}': they are not this model's: `),
        error.message,
      );
      assert.match(error.message, /'lstm\.weight_ih_l0' is F32 \[48, 16\] where the model has F32 \[48000, 16\]/);
      assert.match(
        error.message,
        /; its metadata describes another model, give the file as 'deno task train' wrote it$/,
      );
      return true;
    });
    using model1 = await openModel(SMALL_CAPTIONER);
    assert.equal(model1.tensors.size, 111);
  },
});

for (const file of [SMALL_CAPTIONER, join(INTERCHANGE, "torch_1u_every.pth")]) {
  Deno.test({
    name: `openModel() opens ${basename(file)} once, and closes it if it refuses it`,
    ...NEEDS_FILES,
    async fn() {
      await using folder = await temporaryFolder();
      const vocabulary = folder.file("vocab.json");
      await Deno.writeTextFile(vocabulary, JSON.stringify([...SPECIALS, "a"]));
      const options = file.endsWith(".pth") ? { vocabulary } : {};
      const { open } = Deno;
      const opened: string[] = [];
      Deno.open = (path, how) => {
        opened.push(String(path));
        return open(path, how);
      };
      using _restored = { [Symbol.dispose]: () => void (Deno.open = open) };
      (await openModel(file, options))[Symbol.dispose]();
      assert.deepEqual(opened.filter((path) => path === file), [file]);
      // The test runner reports a file that is left open.
      const refused = folder.file("best.safetensors");
      await Deno.writeTextFile(refused, "no model");
      await assert.rejects(openModel(refused, options), InputError);
    },
  });
}

for (const format of ["pth", "safetensors"] as const) {
  Deno.test({
    name: `openModel() refuses the vocabulary of another training with weights exported as ${format}`,
    ...NEEDS_FILES,
    async fn() {
      await using folder = await temporaryFolder();
      const { out, vocabulary = "" } = await exportModel(SMALL_CAPTIONER, { out: folder.file(`model.${format}`) });
      (await openModel(out, { vocabulary }))[Symbol.dispose]();
      const { words, ...settings } = JSON.parse(await Deno.readTextFile(vocabulary));
      const swapped = [...words.slice(0, -2), words.at(-1), words.at(-2)];
      for (const other of [swapped, words.slice(0, -1)]) {
        await Deno.writeTextFile(vocabulary, JSON.stringify({ words: other, ...settings }));
        await assert.rejects(openModel(out, { vocabulary }), {
          name: "InputError",
          message:
            `Cannot read '${vocabulary}': its words are not those that ${out} was trained with; give the vocabulary ` +
            "that was exported with it",
        });
      }
    },
  });
}

Deno.test({
  name: "openModel() refuses another vocabulary for a checkpoint, which has its own",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("vocab.json");
    using checkpoint = await openCheckpoint(SMALL_CAPTIONER);
    const { vocabulary } = checkpoint.metadata;
    await Deno.writeTextFile(path, JSON.stringify(vocabulary));
    (await openModel(SMALL_CAPTIONER, { vocabulary: path }))[Symbol.dispose]();
    await Deno.writeTextFile(path, JSON.stringify([...vocabulary.slice(0, -1), "another"]));
    await assert.rejects(openModel(SMALL_CAPTIONER, { vocabulary: path }), /its words are not those that/);
  },
});

Deno.test({
  name: "openModel() warns of a vocabulary that is shorter than the output layer of another program's weights",
  ...NEEDS_FILES,
  async fn() {
    const warnings: string[] = [];
    const warn = (line: string) => void warnings.push(line);
    using _short = await open("torch_1u_every.pth", [...SPECIALS, "a"], warn);
    assert.match(
      warnings.join(),
      /has 5 words, and the output layer of .*torch_1u_every\.pth has 11; if it belongs to/,
    );
    using _whole = await open("torch_1u_every.pth", [...SPECIALS, ..."abcdefg"], warn);
    assert.equal(warnings.length, 1);
  },
});

Deno.test({
  name: "openModel() reads a captioner's weights whose names share a prefix",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const vocabulary = folder.file("vocab.json");
    await Deno.writeTextFile(vocabulary, JSON.stringify([...SPECIALS, ..."abcdefg"]));
    using plain = await openModel(join(INTERCHANGE, "torch_1u_every.pth"), { vocabulary });
    for (const prefix of ["module.", "_orig_mod.", "module.model."]) {
      const path = folder.file("prefixed.pth");
      await writePth(path, Array.from(plain.tensors, ([name, tensor]) => ({ ...tensor, name: prefix + name })));
      using model = await openModel(path, { vocabulary });
      assert.deepEqual([model.metadata, [...model.tensors.keys()]], [plain.metadata, [...plain.tensors.keys()]]);
    }
  },
});
