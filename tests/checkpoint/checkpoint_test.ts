import assert from "node:assert/strict";
import { type CheckpointMetadata, openCheckpoint, saveCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { writeSafetensors } from "../../src/checkpoint/safetensors.ts";
import { InputError } from "../../src/input_error.ts";
import { counting, namesIn, NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";

const METADATA: CheckpointMetadata = {
  recipe: "notebook",
  model: {
    vocabularySize: 5,
    embedSize: 16,
    hiddenSize: 512,
    languageLayers: 0,
    fusionLayers: 2,
    inject: "first",
    encoderWidth: 8,
    encoderBlocks: [1, 1, 1, 1],
  },
  preprocessing: { imageSize: 224, shortSide: 256, applyExif: true },
  vocabulary: ["<pad>", "<unk>", "a", "dög 🐕"],
  decoding: { firstWord: "a", maxLength: 20, beamSize: 3 },
  datasetFingerprint: "sha256:0123",
  epoch: 2,
  metrics: { validationLoss: 1.25, trainLoss: 1 / 3 },
  training: {
    settings: { name: "notebook", encoderBlocks: [1, 1, 1, 1], learningRate: 1e-3 },
    seed: 7,
    examples: "sha256:4567",
    step: 3,
    sums: { loss: 0.1 + 0.2, lossWeight: 87, gradientNorm: 1e-300 },
    validationScores: [2.5, 1.25],
  },
};
const TENSORS = [counting("linear.weight", "F32", [5, 2]), counting("linear.bias", "F32", [5])];

Deno.test({
  name: "openCheckpoint() returns what saveCheckpoint() saved",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("best.safetensors");
    await saveCheckpoint(path, { metadata: METADATA, tensors: TENSORS });
    assert.deepEqual(namesIn(folder.path), ["best.safetensors"]);
    using checkpoint = await openCheckpoint(path);
    assert.deepEqual(checkpoint.metadata, METADATA);
    for (const { name, dtype, shape, read } of TENSORS) {
      const tensor = checkpoint.tensors.get(name);
      assert.equal(tensor?.dtype, dtype);
      assert.deepEqual(tensor?.shape, shape);
      assert.deepEqual(await tensor?.read(), await read());
    }
  },
});

Deno.test({
  name: "openCheckpoint() returns no first word if none was saved",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("best.safetensors");
    await saveCheckpoint(path, { metadata: { ...METADATA, decoding: { maxLength: 20, beamSize: 1 } }, tensors: [] });
    using checkpoint = await openCheckpoint(path);
    assert.deepEqual(checkpoint.metadata.decoding, { maxLength: 20, beamSize: 1 });
  },
});

Deno.test({
  name: "saveCheckpoint() writes the same bytes for the same content, in any order and under any path",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    await saveCheckpoint(folder.file("a"), { metadata: METADATA, tensors: TENSORS });
    const reordered = {
      ...Object.fromEntries(Object.entries(METADATA).reverse()),
      metrics: Object.fromEntries(Object.entries(METADATA.metrics).reverse()),
      model: Object.fromEntries(Object.entries(METADATA.model).reverse()),
    } as unknown as CheckpointMetadata;
    await saveCheckpoint(folder.file("another"), { metadata: reordered, tensors: TENSORS.toReversed() });
    assert.deepEqual(await Deno.readFile(folder.file("a")), await Deno.readFile(folder.file("another")));
  },
});

Deno.test({
  name: "saveCheckpoint() skips metrics that are not finite",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("last.safetensors");
    await saveCheckpoint(path, { metadata: { ...METADATA, metrics: { trainLoss: NaN, epochs: 1 } }, tensors: [] });
    using checkpoint = await openCheckpoint(path);
    assert.deepEqual(checkpoint.metadata.metrics, { epochs: 1 });
  },
});

Deno.test({
  name: "saveCheckpoint() rejects metadata that it could not read again, and writes nothing",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const metadata = { ...METADATA, model: { ...METADATA.model, fusionLayers: 0.5 } };
    await assert.rejects(saveCheckpoint(folder.file("a"), { metadata, tensors: TENSORS }), {
      name: "TypeError",
      message: /the field 'model\.fusionLayers' is wrong/,
    });
    assert.deepEqual(namesIn(folder.path), []);
  },
});

function words(change: Record<string, string | undefined> = {}): Record<string, string> {
  const entries = Object.entries(METADATA).map(([key, value]) => [key, JSON.stringify(value)] as const);
  const all = { lrcn: "3", ...Object.fromEntries(entries), ...change };
  return Object.fromEntries(Object.entries(all).flatMap(([key, word]) => word === undefined ? [] : [[key, word]]));
}

type Refused = [what: string, metadata: Record<string, string>, message: RegExp];
const REFUSED: Refused[] = [
  [
    "another program's safetensors",
    { format: "pt" },
    /a safetensors file but not a checkpoint, the metadata 'lrcn' is miss/,
  ],
  [
    "a newer version's",
    words({ lrcn: "4", model: "7" }),
    /a newer version of lrcn wrote it \(format 4, this one reads 3\)/,
  ],
  ["an invalid version", words({ lrcn: '"x"' }), /its format version .* is not valid/],
  ["a missing field", words({ recipe: undefined }), /the field 'recipe' is wrong/],
  ["a field that is no JSON", words({ vocabulary: "<pad>" }), /the field 'vocabulary' is wrong/],
  ["a wrong field of the model", words({ model: words().model?.replace("512", '"512"') ?? "" }), /'model\.hiddenSize'/],
  ...Object.entries({
    vocabularySize: [2, 16777216, 1],
    embedSize: [1, 65536, 0],
    hiddenSize: [1, 65536, 65537],
    languageLayers: [0, 64, 1_000_000_000],
    fusionLayers: [1, 64, 65],
    encoderWidth: [1, 1024, 2048],
  }).map(([field, [least, most, value]]): Refused => [
    `a model whose ${field} is ${value}`,
    words({ model: JSON.stringify({ ...METADATA.model, [field]: value }) }),
    new RegExp(`the field 'model\\.${field}' is wrong, it is ${value}, give a whole number from ${least} to ${most};`),
  ]),
  [
    "a stage of a hundred million blocks",
    words({ model: words().model?.replace("[1,1,1,1]", "[100000000,1,1,1]") ?? "" }),
    /'model\.encoderBlocks\.0' is wrong, it is 100000000, give a whole number from 1 to 256;/,
  ],
  [
    "captions of a billion words",
    words({ decoding: '{"maxLength":1000000000,"beamSize":3}' }),
    /'decoding\.maxLength' is wrong, it is 1000000000, give a whole number from 1 to 1000;/,
  ],
  [
    "a beam of a billion captions",
    words({ decoding: '{"maxLength":20,"beamSize":1000000000}' }),
    /'decoding\.beamSize' is wrong, it is 1000000000, give a whole number from 1 to 100;/,
  ],
  [
    "images of a trillion pixels",
    words({ preprocessing: '{"imageSize":1000000,"shortSide":1000000}' }),
    /'preprocessing\.imageSize' is wrong, it is 1000000, give a whole number from 1 to 4096;/,
  ],
  [
    "more words than there are",
    words({ vocabulary: `[${"0,".repeat(1_000_000)}0]` }),
    /'vocabulary' is wrong, it has more than 1000000 elements;/,
  ],
  ["three stages", words({ model: words().model?.replace("[1,1,1,1]", "[1,1,1]") ?? "" }), /'model\.encoderBlocks/],
  ["a word that is a number", words({ vocabulary: '["a",2]' }), /the field 'vocabulary\.1' is wrong/],
  ["more words than the layer has", words({ vocabulary: '["a","b","c","d","e","f"]' }), /more words than model\.voc/],
  ["an infinite metric", words({ metrics: '{"trainLoss":1e999}' }), /the field 'metrics\.trainLoss' is wrong/],
  [
    "a crop larger than the resized image",
    words({ preprocessing: '{"imageSize":9,"shortSide":8,"applyExif":true}' }),
    /'preprocessing'/,
  ],
];

for (const [name, metadata, message] of REFUSED) {
  Deno.test({
    name: `openCheckpoint() rejects ${name} with one line that contains the path`,
    ...NEEDS_FILES,
    async fn() {
      await using folder = await temporaryFolder();
      const path = folder.file("best.safetensors");
      await writeSafetensors(path, { metadata, tensors: TENSORS });
      await assert.rejects(openCheckpoint(path), (error) => {
        assert.ok(error instanceof InputError);
        assert.ok(error.message.startsWith(`Cannot read '${path}': `), error.message);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    },
  });
}

Deno.test({
  name: "openCheckpoint() takes metadata that it does not know",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.file("best.safetensors");
    await writeSafetensors(path, { metadata: words({ note: "not JSON" }), tensors: [] });
    using checkpoint = await openCheckpoint(path);
    assert.deepEqual(checkpoint.metadata, METADATA);
  },
});

Deno.test({
  name: "openCheckpoint() says what file to give instead of a missing or a text file",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    const missing = folder.file("missing.safetensors");
    await assert.rejects(openCheckpoint(missing), {
      name: "InputError",
      message: `Cannot read '${missing}': there is no such file or folder, check the path; ` +
        "give a file 'best.safetensors' or 'last.safetensors' that 'deno task train' wrote",
    });
    const text = folder.file("captions.txt");
    await Deno.writeTextFile(text, "image,caption\n");
    await assert.rejects(openCheckpoint(text), {
      name: "InputError",
      message: /it is cut off or not a safetensors file, .*; give a file 'best\.safetensors'/,
    });
  },
});

for (const version of [1, 2]) {
  Deno.test({
    name: `openCheckpoint() rejects a file of format version ${version} and says what to do`,
    ...NEEDS_FILES,
    async fn() {
      await using folder = await temporaryFolder();
      const path = folder.file("best.safetensors");
      await writeSafetensors(path, { metadata: words({ lrcn: String(version) }), tensors: [] });
      await assert.rejects(openCheckpoint(path), {
        name: "InputError",
        message: `Cannot read '${path}': an older version of lrcn wrote it (format ${version}, this one reads 3); ` +
          "train the model again",
      });
    },
  });
}
