import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Captioner } from "../../src/captioning/captioner.ts";
import { type CheckpointMetadata, saveCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { modelTensors } from "../../src/checkpoint/model_state.ts";
import { Engine } from "../../src/ffi/engine.ts";
import type { EngineOptions, ModelSettings } from "../../src/ffi/settings.ts";
import { InputError } from "../../src/input_error.ts";
import { decodeImage, type RgbImage } from "../../src/pipeline/images/decode_image.ts";
import { NEEDS_FILES, temporaryFolder } from "../checkpoint/temporary_folder.ts";
import { fillModel } from "../ffi/golden_batch.ts";
import { TINY_MODEL } from "../ffi/native.ts";
import { nativeTest } from "../ffi/native_test_case.ts";
import { drawnImage } from "../golden/drawn_image.ts";
import { INTERCHANGE, saveFormulaCheckpoint } from "../golden/interchange.ts";
import { drawSquare } from "../tasks/drawn_dataset.ts";

const SINGLE: EngineOptions = { device: "cpu", precision: "fp32", threads: 1 };
const DOUBLE: EngineOptions = { device: "cpu", precision: "fp64", threads: 1 };
const SPECIALS = ["<pad>", "<unk>", "<start>", "<end>"];
const VOCABULARY = [...SPECIALS, ...Array.from({ length: 36 }, (_, index) => `word${index}`)];
const PREPROCESSING = { imageSize: 32, shortSide: 37 };
const IMAGES: readonly RgbImage[] = [drawnImage(50, 40), drawnImage(37, 90), drawnImage(64, 64), drawnImage(20, 30)];

/** Saves a tiny model with weights from a formula, and gives the file's path. */
async function saveModel(
  path: string,
  change: {
    readonly model?: Partial<ModelSettings>;
    readonly metadata?: Partial<CheckpointMetadata>;
    readonly engine?: EngineOptions;
  } = {},
): Promise<string> {
  const model = { ...TINY_MODEL, ...change.model };
  using engine = await Engine.open(model, change.engine ?? SINGLE);
  await fillModel(engine);
  await saveCheckpoint(path, {
    metadata: {
      recipe: "lrcn",
      model,
      preprocessing: PREPROCESSING,
      vocabulary: VOCABULARY,
      decoding: { maxWords: 6, beam: 3 },
      datasetFingerprint: "0123456789abcdef",
      epoch: 1,
      metrics: {},
      ...change.metadata,
    },
    tensors: await modelTensors(engine, ["parameter", "buffer"]),
  });
  return path;
}

/** The log-probability of a caption, word by word with the caption given, as training computes it. */
async function teacherForced(model: ModelSettings, image: RgbImage, tokens: readonly string[], ended: boolean) {
  using engine = await Engine.open(model, DOUBLE);
  await fillModel(engine);
  const { imageSize, shortSide } = PREPROCESSING;
  const square = await engine.resizeCrop(image, shortSide, shortSide);
  const pixels = await engine.resizeCrop(
    { width: shortSide, height: shortSide, pixels: square },
    shortSide,
    imageSize,
  );
  const ids = tokens.map((token) => VOCABULARY.indexOf(token));
  const targets = Int32Array.of(...ids, 3).subarray(0, ended ? undefined : -1);
  const { loss, words } = await engine.evaluateStep({
    images: { count: 1, height: imageSize, width: imageSize, pixels },
    imageOfRow: Int32Array.of(0),
    inputs: Int32Array.of(2, ...ids).subarray(0, targets.length),
    inputsLength: targets.length,
    targets,
    targetsLength: targets.length,
  });
  return -loss * words;
}

function captionerTest(name: string, fn: (path: string) => Promise<void>): void {
  nativeTest(name, async () => {
    await using folder = await temporaryFolder();
    await fn(folder.file("best.safetensors"));
  }, NEEDS_FILES);
}

for (const inject of ["every", "first"] as const) {
  captionerTest(`Captioner writes words with the probability that the model gives them: ${inject}`, async (path) => {
    const model: ModelSettings = { ...TINY_MODEL, inject, languageLayers: 1, fusionLayers: 1 };
    await saveModel(path, { model, engine: DOUBLE });
    using captioner = await Captioner.load(path, DOUBLE);
    for (const beam of [1, 3]) {
      const captions = await captioner.caption(IMAGES, { beam });
      assert.equal(captions.length, IMAGES.length);
      for (const [index, { caption, logProbability, tokens }] of captions.entries()) {
        assert(tokens.length >= 1 && tokens.length <= 6 && !tokens.some((token) => SPECIALS.includes(token)));
        assert.equal(caption, tokens.join(" "));
        const image = IMAGES[index] ?? drawnImage(1, 1);
        const unfinished = await teacherForced(model, image, tokens, false);
        const finished = await teacherForced(model, image, tokens, true);
        const expected = tokens.length === 6 && Math.abs(unfinished - logProbability) < 1e-4 ? unfinished : finished;
        assert(Math.abs(logProbability - expected) < 1e-4, `${logProbability} is not ${expected}`);
      }
    }
  });
}

captionerTest("Captioner gives an image the same caption alone and in a batch", async (path) => {
  using captioner = await Captioner.load(await saveModel(path), SINGLE);
  const together = await captioner.caption(IMAGES);
  for (const [index, image] of IMAGES.entries()) {
    const [alone] = await captioner.caption([image]);
    assert.deepEqual(alone?.tokens, together[index]?.tokens);
    assert(Math.abs((alone?.logProbability ?? NaN) - (together[index]?.logProbability ?? NaN)) < 1e-4);
  }
  assert.deepEqual(await captioner.caption([]), []);
});

captionerTest("Captioner takes the checkpoint's beam where none is given", async (path) => {
  const decoding = { maxWords: 6, beam: 4 };
  using captioner = await Captioner.load(await saveModel(path, { metadata: { decoding } }), SINGLE);
  assert.deepEqual(await captioner.caption(IMAGES), await captioner.caption(IMAGES, { beam: 4 }));
  const wide = await captioner.caption(IMAGES, { beam: 4 });
  const greedy = await captioner.caption(IMAGES, { beam: 1 });
  const sum = (captions: typeof wide) => captions.reduce((total, { logProbability }) => total + logProbability, 0);
  assert(sum(wide) > sum(greedy), "a wider beam finds nothing more probable");
  await assert.rejects(captioner.caption(IMAGES, { beam: 0 }), RangeError);
});

captionerTest("Captioner.load() reads a float64 checkpoint into a float32 model", async (path) => {
  await saveModel(path, { engine: DOUBLE });
  using single = await Captioner.load(path, SINGLE);
  using double = await Captioner.load(path, DOUBLE);
  const [captions, expected] = [await single.caption(IMAGES), await double.caption(IMAGES)];
  for (const [index, { tokens, logProbability }] of captions.entries()) {
    assert.deepEqual(tokens, expected[index]?.tokens);
    assert(Math.abs(logProbability - (expected[index]?.logProbability ?? NaN)) < 1e-3);
  }
});

captionerTest("Captioner.load() refuses tensors that are not the model's, and leaves no model behind", async (path) => {
  await saveModel(path, { metadata: { model: { ...TINY_MODEL, hiddenSize: 17 } } });
  await assert.rejects(Captioner.load(path, SINGLE), (error) => {
    assert(error instanceof InputError);
    assert(error.message.startsWith(`Cannot load weights from '${path}': they are not this model's: `));
    assert.match(error.message, /'lstm\.weight_hh_l0' is F32 \[64, 16\] where the model has F32 \[68, 17\]/);
    return true;
  });
});

captionerTest(
  "Captioner writes a notebook model's captions greedily, and rows without a word as unknown",
  async (path) => {
    const vocabulary = ["<pad>", "<unk>", "word0", "word1", "word2"];
    await saveModel(path, {
      model: { inject: "first" },
      metadata: { recipe: "notebook", vocabulary, decoding: { firstWord: "word2", maxWords: 7, beam: 1 } },
    });
    using captioner = await Captioner.load(path, SINGLE);
    const captions = await captioner.caption(IMAGES);
    assert(captions.some(({ tokens }) => tokens.includes("<unk>")));
    for (const { tokens } of captions) {
      assert.equal(tokens[0], "word2");
      assert(tokens.length <= 7);
      // The layer has 40 rows for 5 words; what the other rows write is unknown.
      assert(tokens.every((token) => vocabulary.includes(token)));
    }
    await assert.rejects(
      captioner.caption(IMAGES, { beam: 3 }),
      (error) => error instanceof InputError && /^Cannot search with beam 3: .*use --beam 1$/.test(error.message),
    );
  },
);

captionerTest("Captioner refuses a vocabulary with neither first word nor <start>", async (path) => {
  await saveModel(path, { metadata: { vocabulary: ["<pad>", "<unk>", "kite"] } });
  using captioner = await Captioner.load(path, SINGLE);
  await assert.rejects(captioner.caption(IMAGES), /^InputError: Cannot caption: .* has no <start> and <end>$/);
});

const VERSION_1 = fileURLToPath(new URL("../golden/checkpoint/version1.safetensors", import.meta.url));

nativeTest("Captioner writes the captions that the format's first version wrote", async () => {
  const pictures = [await decodeImage(drawSquare("red", 0)), await decodeImage(drawSquare("blue", 3))];
  using captioner = await Captioner.load(VERSION_1, SINGLE);
  const captions = await captioner.caption(pictures);
  assert.deepEqual(captions.map(({ caption }) => caption), ["on on a a a a a", "on a on a on a a a"]);
  for (const [index, expected] of [-20.3247, -22.978].entries()) {
    const { logProbability = NaN } = captions[index] ?? {};
    assert(Math.abs(logProbability - expected) < 1e-2, `${logProbability} is not ${expected}`);
  }
}, NEEDS_FILES);

for (
  const [name, exported] of [["notebook", "torch_notebook.pth"], ["2f_first", "lrcn_2f_first.safetensors"]] as const
) {
  captionerTest(
    `Captioner.load() takes ${exported} with a vocabulary, as the checkpoint of the same model`,
    async (path) => {
      await saveFormulaCheckpoint(path, name);
      using expected = await Captioner.load(path, SINGLE);
      const vocabulary = join(INTERCHANGE, `lrcn_${name}.vocab.json`);
      using captioner = await Captioner.load(join(INTERCHANGE, exported), { ...SINGLE, vocabulary });
      assert.deepEqual(await captioner.caption(IMAGES), await expected.caption(IMAGES));
    },
  );
}
