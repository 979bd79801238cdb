import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { openCheckpoint, saveCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { InputError } from "../../src/input_error.ts";
import { fineTuningRecipe, type InitialModel, readInitialModel } from "../../src/pipeline/initial_model.ts";
import { makeRecipe } from "../../src/pipeline/recipe.ts";
import { NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";

const SMALL_CAPTIONER = fileURLToPath(new URL("../golden/checkpoint/captioner.safetensors", import.meta.url));
const MODEL: InitialModel = {
  path: "a.safetensors",
  words: ["<pad>", "<unk>", "<start>", "<end>", "a"],
  fixed: { imageSize: 64, encoderWidth: 8, encoderBlocks: [1, 1, 1, 1], tokenizer: "unicode" },
  defaults: { minCount: 2, beamSize: 5 },
};

Deno.test({
  name: "readInitialModel() takes architecture, preprocessing, tokenizer and vocabulary from the checkpoint",
  ...NEEDS_FILES,
  async fn() {
    const { words, fixed, defaults } = await readInitialModel(SMALL_CAPTIONER);
    assert.equal(words.length, 16);
    assert.deepEqual(fixed, {
      ...{ embedSize: 8, hiddenSize: 12, languageLayers: 0, fusionLayers: 1, inject: "every" },
      ...{ encoder: "resnet50", encoderWidth: 4, encoderBlocks: [1, 1, 1, 1] },
      ...{ imageSize: 16, resize: "crop", tokenizer: "nltk" },
      ...{ applyExif: true, colorManagement: true, alpha: "white", shrinkOnLoad: true },
    });
    const rates = { frozenLearningRate: 2e-4, learningRate: 2e-4 };
    assert.deepEqual(defaults, { minCount: 2, maxLength: 8, beamSize: 3, lengthPenalty: 0, ...rates });
  },
});

Deno.test({
  name: "readInitialModel() refuses a model whose captions have no end, and another crop",
  ...NEEDS_FILES,
  async fn() {
    await using folder = await temporaryFolder();
    using checkpoint = await openCheckpoint(SMALL_CAPTIONER);
    const { metadata } = checkpoint;
    const tensors = [...checkpoint.tensors].map(([name, tensor]) => ({ ...tensor, name }));
    const save = (name: string, changes: Partial<typeof metadata>) =>
      saveCheckpoint(folder.file(name), { metadata: { ...metadata, ...changes }, tensors });
    await save("notebook", { vocabulary: ["<pad>", "<unk>", "a"] });
    await assert.rejects(readInitialModel(folder.file("notebook")), /whose captions have no end token; give a model/);
    await save("crop", { preprocessing: { ...metadata.preprocessing, shortSide: 20 } });
    await assert.rejects(
      readInitialModel(folder.file("crop")),
      /it crops 16 pixels of 20, but training crops them of 18/,
    );
  },
});

Deno.test("fineTuningRecipe() has the settings of pretrained weights, and the checkpoint's own", () => {
  const changes = { epochs: 6, learningRate: 3e-4 };
  assert.deepEqual(
    fineTuningRecipe(MODEL, changes),
    makeRecipe("lrcn", { ...MODEL.defaults, ...MODEL.fixed, ...changes }, { pretrained: true }),
  );
  assert.equal(fineTuningRecipe(MODEL, { minCount: "4" }).minCount, 4);
});

Deno.test("fineTuningRecipe() refuses settings that conflict with the checkpoint, not those that repeat it", () => {
  const refuses = (given: Record<string, unknown>, message: string) =>
    assert.throws(() => fineTuningRecipe(MODEL, given), new InputError(message));
  refuses({ imageSize: 96 }, "Cannot change 'imageSize': 'a.safetensors' was trained with imageSize=64; leave it out");
  refuses(
    { encoderBlocks: "3,4,6,3" },
    "Cannot change 'encoderBlocks': 'a.safetensors' was trained with encoderBlocks=1,1,1,1; leave it out",
  );
  const same = fineTuningRecipe(MODEL, { imageSize: "64", encoderBlocks: "1,1,1,1", tokenizer: "unicode" });
  assert.deepEqual(same, fineTuningRecipe(MODEL, {}));
});
