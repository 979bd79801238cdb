import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Captioner, type CaptionOptions } from "../../src/captioning/captioner.ts";
import { type CheckpointMetadata, saveCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { modelTensors } from "../../src/checkpoint/model_state.ts";
import { Engine } from "../../src/ffi/engine.ts";
import { encodePng } from "../../src/images/encode_png.ts";
import { ImageError } from "../../src/images/image_error.ts";
import type { EngineOptions, ModelSettings } from "../../src/ffi/settings.ts";
import { InputError } from "../../src/input_error.ts";
import { decodeImage } from "../../src/images/decode_image.ts";
import type { RgbImage } from "../../src/images/rgb_image.ts";
import { NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";
import { fillModel } from "../support/golden_batch.ts";
import { TINY_MODEL } from "../support/native.ts";
import { nativeTest } from "../support/native_test_case.ts";
import { drawnImage } from "../golden/drawn_image.ts";
import { INTERCHANGE, saveFormulaCheckpoint } from "../golden/interchange.ts";
import { drawSquare } from "../support/draw_dataset.ts";

const SINGLE: EngineOptions = { device: "cpu", precision: "fp32", threads: 1 };
const DOUBLE: EngineOptions = { device: "cpu", precision: "fp64", threads: 1 };
const SPECIALS = ["<pad>", "<unk>", "<start>", "<end>"];
const VOCABULARY = [...SPECIALS, ...Array.from({ length: 36 }, (_, index) => `word${index}`)];
const PREPROCESSING = { imageSize: 32, shortSide: 37, applyExif: true };
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
      decoding: { maxLength: 6, beamSize: 3 },
      datasetFingerprint: "0123456789abcdef",
      epoch: 1,
      metrics: {},
      ...change.metadata,
    },
    tensors: await modelTensors(engine, ["parameter", "buffer"]),
  });
  return path;
}

/** The log-probability of a caption with teacher forcing, as in training. */
async function teacherForced(model: ModelSettings, image: RgbImage, tokens: readonly string[], ended: boolean) {
  using engine = await Engine.open(model, DOUBLE);
  await fillModel(engine);
  const { imageSize, shortSide } = PREPROCESSING;
  const resized = await engine.resizeCrop(image, shortSide, shortSide);
  const pixels = await engine.resizeCrop(
    { width: shortSide, height: shortSide, pixels: resized },
    shortSide,
    imageSize,
  );
  const ids = tokens.map((token) => VOCABULARY.indexOf(token));
  const targets = Int32Array.of(...ids, 3).subarray(0, ended ? undefined : -1);
  const { loss, tokens: counted } = await engine.evaluateStep({
    images: { count: 1, height: imageSize, width: imageSize, pixels },
    imageOfRow: Int32Array.of(0),
    inputs: Int32Array.of(2, ...ids).subarray(0, targets.length),
    inputsLength: targets.length,
    targets,
    targetsLength: targets.length,
  });
  return -loss * counted;
}

function captionerTest(name: string, fn: (path: string) => Promise<void>): void {
  nativeTest(name, async () => {
    await using folder = await temporaryFolder();
    await fn(folder.file("best.safetensors"));
  }, NEEDS_FILES);
}

for (const inject of ["every", "first"] as const) {
  captionerTest(`Captioner returns the model's log-probability of each caption: ${inject}`, async (path) => {
    const model: ModelSettings = { ...TINY_MODEL, inject, languageLayers: 1, fusionLayers: 1 };
    await saveModel(path, { model, engine: DOUBLE });
    using captioner = await Captioner.load(path, DOUBLE);
    for (const beamSize of [1, 3]) {
      const captions = await captioner.caption(IMAGES, { beamSize });
      assert.equal(captions.length, IMAGES.length);
      for (const [index, { text, logProbability, tokens }] of captions.entries()) {
        assert(tokens.length >= 1 && tokens.length <= 6 && !tokens.some((token) => SPECIALS.includes(token)));
        assert.equal(text, tokens.join(" "));
        const image = IMAGES[index] ?? drawnImage(1, 1);
        const unfinished = await teacherForced(model, image, tokens, false);
        const finished = await teacherForced(model, image, tokens, true);
        const expected = tokens.length === 6 && Math.abs(unfinished - logProbability) < 1e-4 ? unfinished : finished;
        assert(Math.abs(logProbability - expected) < 1e-4, `${logProbability} is not ${expected}`);
      }
    }
  });
}

captionerTest("Captioner shows a model that learned from stretched images whole images", async (path) => {
  const preprocessing = { imageSize: 32, shortSide: 32, resize: "stretch", applyExif: true } as const;
  await saveModel(path, { metadata: { preprocessing } });
  using captioner = await Captioner.load(path, SINGLE);
  using engine = await Engine.open(TINY_MODEL, SINGLE);
  for (const image of IMAGES) {
    const pixels = await engine.resizeCrop(image, 32, 32, "stretch");
    assert.deepEqual((await captioner.prepare(image)).pixels, pixels);
    const stretched = { width: 32, height: 32, pixels };
    const [captions, expected] = [await captioner.caption([image]), await captioner.caption([stretched])];
    assert.deepEqual(captions, expected);
  }
});

const SETTINGS: Record<string, CaptionOptions> = {
  "a beam of 1": { beamSize: 1 },
  "the checkpoint's beam": {},
  "n best, a length penalty and constraints": {
    nBest: 4,
    lengthPenalty: 0.7,
    minLength: 3,
    noRepeatNgramSize: 2,
    forced: ["word30"],
    forbidden: ["word1"],
  },
  "diverse beam search": { nBest: 4, diversity: { numBeamGroups: 2 } },
  "sampling": { nBest: 4, sampling: { seed: 3, temperature: 0.8, topK: 10, topP: 0.9 } },
};

for (const [name, options] of Object.entries(SETTINGS)) {
  captionerTest(`Captioner gives an image the same captions alone and in a batch, by ${name}`, async (path) => {
    await saveModel(path, { engine: DOUBLE });
    using double = await Captioner.load(path, DOUBLE);
    using single = await Captioner.load(path, SINGLE);
    for (const [captioner, tolerance] of [[double, 1e-9], [single, 1e-5]] as const) {
      const together = await captioner.caption(IMAGES, options);
      for (const [index, image] of IMAGES.entries()) {
        const [alone] = await captioner.caption([image], options);
        const [actual, expected] = [alone, together[index]].map((caption) => [caption, ...caption?.alternatives ?? []]);
        assert.deepEqual(actual?.map((caption) => caption?.tokens), expected?.map((caption) => caption?.tokens));
        for (const [rank, caption] of actual?.entries() ?? []) {
          const difference = (caption?.logProbability ?? NaN) - (expected?.[rank]?.logProbability ?? NaN);
          assert(Math.abs(difference) <= tolerance, `${difference}`);
        }
      }
    }
    assert.deepEqual(await double.caption([], options), []);
  });
}

captionerTest(
  "Captioner returns the n best captions as one and its alternatives, without duplicates, best first",
  async (path) => {
    using captioner = await Captioner.load(await saveModel(path), SINGLE);
    for (
      const options of [{ nBest: 5 }, { nBest: 5, beamSize: 2 }, {
        nBest: 5,
        diversity: { numBeamGroups: 2, diversityPenalty: 0 },
      }]
    ) {
      for (const { alternatives, ...best } of await captioner.caption(IMAGES, options)) {
        const all = [best, ...alternatives ?? []];
        assert(all.length <= 5 && all.length >= 3);
        assert.equal(new Set(all.map(({ text }) => text)).size, all.length);
        if ("diversity" in options) continue;
        assert.equal(all.length, 5);
        const values = all.map(({ logProbability }) => logProbability);
        assert.deepEqual(values, values.toSorted((a, b) => b - a));
      }
    }
    assert(!("alternatives" in ((await captioner.caption(IMAGES))[0] ?? {})));
  },
);

captionerTest("Captioner satisfies the constraints of the options", async (path) => {
  using captioner = await Captioner.load(await saveModel(path), SINGLE);
  const [plain] = await captioner.caption(IMAGES.slice(0, 1));
  const [first = "", second = ""] = plain?.tokens ?? [];
  const tokensOf = async (options: CaptionOptions) =>
    (await captioner.caption(IMAGES.slice(0, 1), options))[0]?.tokens ?? [];
  assert(!(await tokensOf({ forbidden: [first, "unheard"] })).includes(first));
  assert((await tokensOf({ forced: ["word35", "word34"] })).includes("word35"));
  assert.deepEqual((await tokensOf({ prefix: "Word9 word8" })).slice(0, 2), ["word9", "word8"]);
  assert.equal((await tokensOf({ minLength: 5, maxLength: 5 })).length, 5);
  assert.notEqual((await tokensOf({ badEndings: [plain?.tokens.at(-1) ?? ""] })).at(-1), plain?.tokens.at(-1));
  const once = await tokensOf({ noRepeatNgramSize: 1, minLength: 6 });
  assert.equal(new Set(once).size, 6);
  assert.notEqual(second, "");
});

captionerTest("Captioner samples the same captions for an image at any position in a batch", async (path) => {
  using captioner = await Captioner.load(await saveModel(path, { engine: DOUBLE }), DOUBLE);
  const options = { nBest: 3, sampling: { seed: 9, temperature: 2 } };
  const forwards = await captioner.caption(IMAGES, options);
  const backwards = await captioner.caption(IMAGES.toReversed(), options);
  assert.deepEqual(backwards.toReversed().map(({ tokens }) => tokens), forwards.map(({ tokens }) => tokens));
  const another = await captioner.caption(IMAGES, { ...options, sampling: { ...options.sampling, seed: 10 } });
  assert.notDeepEqual(another.map(({ tokens }) => tokens), forwards.map(({ tokens }) => tokens));
});

captionerTest("Captioner sorts sampled captions by probability, the likeliest first", async (path) => {
  using captioner = await Captioner.load(await saveModel(path, { engine: DOUBLE }), DOUBLE);
  for (const seed of [1, 2, 3]) {
    for (const caption of await captioner.caption(IMAGES, { nBest: 5, sampling: { seed, temperature: 2 } })) {
      const sampled = [caption, ...caption.alternatives ?? []].map(({ logProbability }) => logProbability);
      assert.equal(sampled.length, 5);
      assert.deepEqual(sampled, sampled.toSorted((one, other) => other - one));
    }
  }
});

nativeTest(
  "Captioner.load() makes an ensemble of checkpoints with different networks and image sizes",
  async () => {
    await using folder = await temporaryFolder();
    const [every, first] = [folder.file("every.safetensors"), folder.file("first.safetensors")];
    await saveModel(every, { engine: DOUBLE });
    await saveModel(first, {
      engine: DOUBLE,
      model: { inject: "first", hiddenSize: 9, languageLayers: 1, fusionLayers: 2 },
      metadata: { preprocessing: { imageSize: 24, shortSide: 29, applyExif: true } },
    });
    using together = await Captioner.load([every, first], DOUBLE);
    const captions = await together.caption(IMAGES);
    assert.equal(captions.length, IMAGES.length);
    using alone = await Captioner.load(every, DOUBLE);
    assert.notDeepEqual(captions, await alone.caption(IMAGES));
    const same = await Captioner.load([every, every], DOUBLE);
    const twice = await same.caption(IMAGES);
    same[Symbol.dispose]();
    for (const [index, { tokens, logProbability }] of (await alone.caption(IMAGES)).entries()) {
      assert.deepEqual(twice[index]?.tokens, tokens);
      assert(Math.abs((twice[index]?.logProbability ?? NaN) - logProbability) < 1e-5);
    }
    assert.deepEqual(
      await together.caption(await Promise.all(IMAGES.map((image) => together.prepare(image)))),
      captions,
    );
  },
  NEEDS_FILES,
);

captionerTest("Captioner.load() refuses checkpoints that cannot form an ensemble, in one line", async (path) => {
  const other = `${path}.other`;
  const refused: [Partial<CheckpointMetadata>, RegExp][] = [
    [
      { vocabulary: [...VOCABULARY.slice(0, -1), "kite"] },
      /their vocabularies differ; name models that were trained on/,
    ],
    [{ vocabulary: VOCABULARY.slice(0, -1) }, /their vocabularies differ/],
    [
      { decoding: { maxLength: 6, beamSize: 3, tokenizer: "unicode" } },
      /their tokenizers differ; name models of one tokenizer$/,
    ],
    [
      { decoding: { maxLength: 6, beamSize: 1, firstWord: "word1" } },
      /is of the notebook recipe, which does not support ensembles$/,
    ],
  ];
  await saveModel(path);
  for (const [metadata, message] of refused) {
    await saveModel(other, { metadata });
    await assert.rejects(Captioner.load([path, other], SINGLE), (error) => {
      assert(error instanceof InputError);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
  }
});

captionerTest("Captioner uses the checkpoint's beam size by default", async (path) => {
  const decoding = { maxLength: 6, beamSize: 4 };
  using captioner = await Captioner.load(await saveModel(path, { metadata: { decoding } }), SINGLE);
  assert.deepEqual(await captioner.caption(IMAGES), await captioner.caption(IMAGES, { beamSize: 4 }));
  const wide = await captioner.caption(IMAGES, { beamSize: 4 });
  const greedy = await captioner.caption(IMAGES, { beamSize: 1 });
  const sum = (captions: typeof wide) => captions.reduce((total, { logProbability }) => total + logProbability, 0);
  assert(sum(wide) > sum(greedy), "a larger beam finds nothing more probable");
  await assert.rejects(captioner.caption(IMAGES, { beamSize: 0 }), RangeError);
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
  "Captioner captions with a notebook model by greedy search, and ids beyond the vocabulary as <unk>",
  async (path) => {
    const vocabulary = ["<pad>", "<unk>", "word0", "word1", "word2"];
    await saveModel(path, {
      model: { inject: "first" },
      metadata: { recipe: "notebook", vocabulary, decoding: { firstWord: "word2", maxLength: 7, beamSize: 1 } },
    });
    using captioner = await Captioner.load(path, SINGLE);
    const captions = await captioner.caption(IMAGES);
    assert(captions.some(({ tokens }) => tokens.includes("<unk>")));
    for (const { tokens } of captions) {
      assert.equal(tokens[0], "word2");
      assert(tokens.length <= 7);
      // The output layer has 40 rows for 5 words; the other rows are <unk>.
      assert(tokens.every((token) => vocabulary.includes(token)));
    }
    await assert.rejects(
      captioner.caption(IMAGES, { beamSize: 3 }),
      (error) => error instanceof InputError && /^Cannot search with beam size 3: .*use --beam 1$/.test(error.message),
    );
    const refused: CaptionOptions[] = [{ nBest: 2 }, { sampling: {} }, { prefix: "word0" }, { lengthPenalty: 1 }];
    for (const options of refused) {
      await assert.rejects(captioner.caption(IMAGES, options), {
        name: "InputError",
        message:
          /^Cannot write .*: a model of the notebook recipe supports greedy search only; (remove it|ask for one)$/,
      });
    }
    for (const { tokens } of await captioner.caption(IMAGES, { maxLength: 3 })) assert(tokens.length <= 3);
  },
);

captionerTest("Captioner refuses a vocabulary with neither first word nor <start>", async (path) => {
  await saveModel(path, { metadata: { vocabulary: ["<pad>", "<unk>", "kite"] } });
  using captioner = await Captioner.load(path, SINGLE);
  await assert.rejects(captioner.caption(IMAGES), /^InputError: Cannot caption: .* has no <start> and <end>$/);
});

const SMALL_CAPTIONER = fileURLToPath(new URL("../golden/checkpoint/captioner.safetensors", import.meta.url));

nativeTest("Captioner reproduces the captions of a checkpoint of the first format version", async () => {
  const images = [await decodeImage(drawSquare("red", 0)), await decodeImage(drawSquare("blue", 3))];
  using captioner = await Captioner.load(SMALL_CAPTIONER, SINGLE);
  const captions = await captioner.caption(images, { badEndings: [] });
  assert.deepEqual(captions.map(({ text }) => text), ["on on a a a a a", "on a on a on a a a"]);
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

captionerTest("Captioner.encode() runs the CNN once, for captions and scores", async (path) => {
  await saveModel(path, { engine: DOUBLE });
  using captioner = await Captioner.load(path, DOUBLE);
  const features = await captioner.encode(IMAGES);
  const captions = await captioner.caption(features, { nBest: 2 });
  assert.deepEqual(
    captions.map(({ tokens }) => tokens),
    (await captioner.caption(IMAGES, { nBest: 2 })).map(({ tokens }) => tokens),
  );
  // The caption's text is its tokens with spaces between, so its score is its log-probability.
  const given = captions.map(({ text }) => [captioner.encodeCaption(text)]);
  const scores = await captioner.score(features, given);
  for (const [index, { logProbability }] of captions.entries()) {
    assert(Math.abs((scores[index] ?? NaN) - logProbability) < 1e-4, `${scores[index]} is not ${logProbability}`);
  }
  assert.equal(captioner.models, 1);
});

captionerTest(
  "Captioner.encodeCaption() maps unknown words to <unk> and cuts to the checkpoint's maximum length",
  async (path) => {
    await saveModel(path, { engine: DOUBLE });
    using captioner = await Captioner.load(path, DOUBLE);
    const [first, unknown] = ["word30", "<unk>"].map((word) => VOCABULARY.indexOf(word));
    assert.deepEqual([...captioner.encodeCaption("word30 zebra")], [2, first, unknown, 3]);
    assert.equal(captioner.encodeCaption("word30 ".repeat(50)).length, captioner.metadata.decoding.maxLength + 2);
  },
);

captionerTest("Captioner of an ensemble refuses to encode and to score", async (path) => {
  await saveModel(path, { engine: DOUBLE });
  using both = await Captioner.load([path, path], DOUBLE);
  assert.equal(both.models, 2);
  await assert.rejects(both.encode(IMAGES), TypeError);
  await assert.rejects(both.caption({ count: 1, values: new Float32Array(8) }), TypeError);
});

captionerTest(
  "Captioner captions a path, a file URL, a Blob and bytes as it captions the pixels in them",
  async (path) => {
    await saveModel(path, {});
    using captioner = await Captioner.load(path, SINGLE);
    const file = `${path}.png`;
    const image = drawnImage(40, 50);
    const bytes = new Uint8Array(encodePng(image));
    await Deno.writeFile(file, bytes);
    const expected = await captioner.caption(image);
    const inputs = [file, new URL(`file://${file}`), new Blob([bytes]), bytes];
    assert.deepEqual(await captioner.caption(inputs), await captioner.caption(inputs.map(() => image)));
    for (const input of inputs) assert.deepEqual(await captioner.caption(input), expected);
    await Deno.writeTextFile(file, "no image");
    await assert.rejects(captioner.caption([image, file]), (error) => (
      error instanceof ImageError && error.message.includes(file)
    ));
    await assert.rejects(captioner.caption(image, { signal: AbortSignal.abort() }), { name: "AbortError" });
  },
);
