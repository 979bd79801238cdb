import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { type CheckpointMetadata, saveCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { writeSafetensors } from "../../src/checkpoint/safetensors.ts";
import { describeInspection, inspectFile } from "../../src/cli/inspect_file.ts";
import { InputError } from "../../src/input_error.ts";
import { counting, NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";

const METADATA: CheckpointMetadata = {
  recipe: "lrcn",
  model: {
    vocabularySize: 20,
    embedSize: 2,
    hiddenSize: 3,
    languageLayers: 0,
    fusionLayers: 1,
    inject: "every",
    encoderWidth: 1,
    encoderBlocks: [1, 1, 1, 1],
  },
  preprocessing: { imageSize: 16, shortSide: 18, applyExif: true },
  vocabulary: ["<pad>", "<unk>", "<start>", "<end>", ..."abcdefghij"],
  decoding: { maxLength: 8, beamSize: 3 },
  datasetFingerprint: "0123456789abcdef",
  epoch: 2,
  metrics: { validationLoss: 1.25 },
};
const TENSORS = [
  counting("linear.weight", "F32", [20, 60]),
  counting("resnet.bn1.running_mean", "F32", [7]),
  counting("resnet.bn1.num_batches_tracked", "I64", []),
];
const TRAINING_TENSORS = [counting("adam.exp_avg.linear.weight", "F32", [20, 60]), counting("rng", "U8", [5])];

Deno.test({
  name: "inspectFile() returns a checkpoint's metadata and tensors, and counts only parameters",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const file = folder.file("last.safetensors");
    const training = {
      settings: { learningRate: 0.5 },
      seed: 7,
      examples: "sha256:4567",
      step: 3,
      sums: { loss: 1, lossWeight: 2, gradientNorm: 3 },
      validationScores: [2, 1.25],
    };
    await saveCheckpoint(file, {
      metadata: { ...METADATA, training },
      tensors: [...TENSORS, ...TRAINING_TENSORS],
    });
    const inspection = await inspectFile(file);
    assert.deepEqual({ ...inspection, tensors: inspection.tensors.length }, {
      file,
      format: "safetensors",
      bytes: (await Deno.stat(file)).size,
      parameters: 1200,
      checkpoint: { ...METADATA, training },
      metadata: {},
      tensors: 5,
    });
    const text = describeInspection(inspection);
    assert.match(text, /^format +checkpoint \(safetensors\)$/m);
    assert.match(text, /^model +vocabularySize 20, .*inject every, encoderWidth 1, encoderBlocks \[1,1,1,1\]$/m);
    assert.match(text, /^metrics +validationLoss 1\.25$/m);
    assert.match(text, /^vocabulary +14 words: <pad> <unk> <start> <end> a b c d e f g h \.\.\.$/m);
    assert.match(text, /^parameters +1,200$/m);
    assert.match(text, /^training +seed 7, 3 steps into the next epoch$/m);
    assert.match(text, /^settings +learningRate 0\.5$/m);
    assert.match(text, /^linear\.weight +F32 +\[20, 60\]$/m);
    assert.match(text, /^resnet\.bn1\.num_batches_tracked +I64 +\[\]$/m);
  },
});

Deno.test({
  name: "inspectFile() lists another program's safetensors file with its metadata",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const file = folder.file("theirs.safetensors");
    await writeSafetensors(file, { metadata: { format: "pt" }, tensors: TENSORS });
    const { checkpoint, metadata, tensors } = await inspectFile(file);
    assert.deepEqual({ checkpoint, metadata }, { checkpoint: null, metadata: { format: "pt" } });
    assert.deepEqual(tensors.map(({ name }) => name).sort(), TENSORS.map(({ name }) => name).sort());
  },
});

Deno.test({
  name: "inspectFile() lists a PyTorch .pth, whatever its name",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const file = folder.file("weights.bin");
    await Deno.copyFile(fileURLToPath(new URL("../golden/checkpoint/torch.pth", import.meta.url)), file);
    const inspection = await inspectFile(file);
    assert.equal(inspection.format, "pth");
    assert.match(describeInspection(inspection), /^double +F64 +\[1, 2\]$/m);
  },
});

Deno.test({
  name: "describeInspection() prints no control character from an untrusted file",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const file = folder.file("theirs.safetensors");
    const tensors = [counting("a\u001b[2J\u009b\n", "F32", [1])];
    await writeSafetensors(file, { metadata: { "b\r": "\u202e" }, tensors });
    const text = describeInspection(await inspectFile(file));
    assert.doesNotMatch(text.replaceAll("\n", ""), /\p{C}/u);
    assert.match(text, /^a\\u001b\[2J\\u009b\\u000a +F32 +\[1\]$/m);
  },
});

Deno.test({
  name:
    "describeInspection() shortens text from an untrusted file, so that one long name among many does not fill memory",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const file = folder.file("theirs.safetensors");
    const names = Array.from({ length: 20_000 }, (_, index) => `${index}`);
    await writeSafetensors(file, {
      metadata: { ...Object.fromEntries(names.map((name) => [`_${name}`, name])), ["k".repeat(1e6)]: "v".repeat(1e6) },
      tensors: ["x".repeat(1e6), ...names].map((name) => counting(name, "U8", [0])),
    });
    const text = describeInspection(await inspectFile(file));
    // Not assert.match(), which would print all of it.
    for (
      const line of [/^x{120}\.{3} {2}U8 {2}\[0\]$/m, /^k{120}\.{3} {2}v{4000}\.{3}$/m, /^19999 {120}U8 {2}\[0\]$/m]
    ) {
      assert.ok(line.test(text), `no line is ${line}`);
    }
    assert.ok(text.length < 10_000_000, `${text.length} characters`);
  },
});

Deno.test({
  name: "inspectFile() refuses a broken checkpoint and a text file in one line",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const [broken, text] = [folder.file("broken.safetensors"), folder.file("captions.txt")];
    await writeSafetensors(broken, { metadata: { lrcn: "3", recipe: "7" }, tensors: TENSORS });
    await Deno.writeTextFile(text, "image,caption\n");
    for (const [file, message] of [[broken, /the field 'recipe' is wrong/], [text, /cut off or not a/]] as const) {
      await assert.rejects(inspectFile(file), (error) => {
        assert(error instanceof InputError);
        assert.match(error.message, message);
        assert.match(error.message, /^Cannot read '[^\n]*$/);
        return true;
      });
    }
  },
});
