import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Captioner } from "../../src/captioning/captioner.ts";
import { explainWords } from "../../src/explanation/explain_words.ts";
import type { Batch, HeatMaps, Images } from "../../src/ffi/batch.ts";
import { InputError } from "../../src/input_error.ts";
import { NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";
import { nativeTest } from "../support/native_test_case.ts";
import { drawnImage } from "../golden/drawn_image.ts";
import { INTERCHANGE } from "../golden/interchange.ts";

const LRCN = fileURLToPath(new URL("../golden/checkpoint/captioner.safetensors", import.meta.url));
const DOUBLE = { device: "cpu", precision: "fp64", threads: 1 } as const;
const WORDS = ["<pad>", "<unk>", "<start>", "<end>", "a", "red", "kite"];
const SPECIALS = { pad: 0, unknown: 1, start: 2 };
const IDS = new Map(WORDS.map((word, id) => [word, id]));
const IMAGES: Images = { count: 1, height: 40, width: 40, pixels: new Uint8Array(40 * 40 * 3) };

/** An engine that keeps the batch and returns these maps of 2 x 2 cells. */
function fakeEngine(heat: readonly number[], probabilities: readonly number[]) {
  const batches: Batch[] = [];
  const explain = (batch: Batch): Promise<HeatMaps> => {
    batches.push(batch);
    const maps = { heat: Float64Array.from(heat), probabilities: Float64Array.from(probabilities) };
    return Promise.resolve({ rows: 2, columns: 2, ...maps });
  };
  return { batches, explain };
}

function given({ inputs, targets }: Batch): number[][] {
  return [[...inputs], [...targets]];
}

Deno.test("explainWords() feeds <start> and the words of the lrcn recipe, without <end>", async () => {
  const engine = fakeEngine([1, 2, 4, 0, 0, 0, 0, 0, 0, 0, 1, 1], [0.5, 0.25, 0.125]);
  const { words, rows, columns, seen } = await explainWords(engine, IMAGES, {
    tokens: ["a", "zebra", "kite"],
    ids: IDS,
    vocabulary: SPECIALS,
    decoding: {},
  });
  assert.deepEqual(given(engine.batches[0] ?? assert.fail()), [[2, 4, 1], [4, 1, 6]]);
  assert.deepEqual([rows, columns, seen.width, seen.pixels.length], [2, 2, 40, 40 * 40 * 3]);
  assert.deepEqual(words.map(({ word }) => word), ["a", "zebra", "kite"]);
  assert.deepEqual(words.map(({ probability }) => probability), [0.5, 0.25, 0.125]);
  assert.deepEqual(words.map(({ heat }) => [...heat]), [[0.25, 0.5, 1, 0], [0, 0, 0, 0], [0, 0, 1, 1]]);
  assert.deepEqual(words.map(({ strength }) => strength), [1, 0, 0.25]);
});

Deno.test("explainWords() shifts the notebook's words by two steps, and takes the first as given", async () => {
  const explain = async (tokens: readonly string[]) => {
    const engine = fakeEngine(new Array(tokens.length * 4).fill(3), new Array(tokens.length).fill(0.5));
    const decoding = { firstWord: "a" };
    const options = { tokens, ids: IDS, vocabulary: { ...SPECIALS, start: undefined }, decoding };
    return { ...await explainWords(engine, IMAGES, options), batch: engine.batches[0] };
  };
  const long = await explain(["a", "red", "kite", "red"]);
  assert.deepEqual(given(long.batch ?? assert.fail()), [[4, 5], [5, 6, 5]]);
  assert.deepEqual(long.words.map(({ probability }) => probability), [1, 0.5, 0.5, 0.5]);
  assert.deepEqual(long.words.map(({ strength }) => strength), [0, 1, 1, 1]);
  assert.deepEqual([...long.words[0]?.heat ?? []], [0, 0, 0, 0]);
  const short = await explain(["a", "red"]);
  assert.deepEqual(given(short.batch ?? assert.fail()), [[4], [5, -1]]);
  const alone = await explain(["a"]);
  assert.equal(alone.batch, undefined);
  assert.deepEqual([alone.rows, alone.columns, alone.words.length], [2, 2, 1]);
});

Deno.test("explainWords() refuses too many words, and unknown ones without <unk>", async () => {
  const engine = fakeEngine([], []);
  const common = { ids: IDS, vocabulary: SPECIALS, decoding: {} };
  const tokens = new Array(101).fill("a");
  await assert.rejects(explainWords(engine, IMAGES, { ...common, tokens }), (error) => {
    assert(error instanceof InputError);
    assert.match(error.message, /^Cannot explain a caption of 101 words: give one of at most 100$/);
    return true;
  });
  const vocabulary = { ...SPECIALS, unknown: undefined };
  await assert.rejects(
    explainWords(engine, IMAGES, { ...common, vocabulary, tokens: ["zebra"] }),
    /^InputError: Cannot explain 'zebra': the vocabulary has neither it nor '<unk>'/,
  );
  const { words } = await explainWords(engine, IMAGES, { ...common, tokens: [] });
  assert.deepEqual([words.length, engine.batches.length], [0, 0]);
});

nativeTest(
  "Captioner.explain() returns the words and probability of a caption, for any image or a prepared one",
  async () => {
    using captioner = await Captioner.load(LRCN, DOUBLE);
    const image = drawnImage(90, 60);
    const [caption] = await captioner.caption([image], { beamSize: 1 });
    assert(caption !== undefined);
    const features = await captioner.encode([image]);
    const explanation = await captioner.explain(image, caption.tokens);
    const { words, rows, columns, seen } = explanation;
    assert.deepEqual(words.map(({ word }) => word), caption.tokens);
    const side = captioner.metadata.preprocessing.imageSize;
    assert.deepEqual([seen.width, seen.height, seen.pixels.length], [side, side, side * side * 3]);
    assert.deepEqual([rows, columns], [Math.ceil(side / 32), Math.ceil(side / 32)]);
    for (const { heat, strength } of words) {
      assert.equal(heat.length, rows * columns);
      assert(heat.every((value) => value >= 0 && value <= 1) && strength >= 0 && strength <= 1);
    }
    const sum = words.reduce((total, { probability }) => total + Math.log(probability), 0);
    const unfinished = captioner.encodeCaption(caption.tokens.join(" ")).subarray(0, -1);
    const [score = NaN] = await captioner.score(features, [[unfinished]]);
    assert(Math.abs(sum - score) < 1e-4, `${sum} is not ${score}`);
    assert.deepEqual(await captioner.explain(await captioner.prepare(image), caption.tokens), explanation);
  },
  NEEDS_FILES,
);

nativeTest("Captioner.explain() explains a notebook model's caption with its probability", async () => {
  await using folder = await temporaryFolder();
  const words = ["<pad>", "<unk>", "a", ...Array.from({ length: 8 }, (_, index) => `word${index}`)];
  const settings = {
    words,
    preprocessing: { imageSize: 32, shortSide: 37, applyExif: true },
    decoding: { firstWord: "a" },
  };
  const vocabulary = folder.file("words.json");
  await Deno.writeTextFile(vocabulary, JSON.stringify(settings));
  using captioner = await Captioner.load(join(INTERCHANGE, "torch_notebook.pth"), { ...DOUBLE, vocabulary });
  for (const maxLength of [1, 2, 3, 6]) {
    const image = drawnImage(64, 64);
    const [caption] = await captioner.caption([image], { maxLength });
    assert.equal(caption?.tokens.length, maxLength);
    const explained = (await captioner.explain(image, caption.tokens)).words;
    assert.deepEqual(explained.map(({ word }) => word), caption.tokens);
    const sum = explained.reduce((total, { probability }) => total + Math.log(probability), 0);
    assert(Math.abs(sum - caption.logProbability) < 1e-4, `${sum} is not ${caption.logProbability}`);
  }
}, NEEDS_FILES);

nativeTest("Captioner of an ensemble refuses to explain", async () => {
  using both = await Captioner.load([LRCN, LRCN], DOUBLE);
  await assert.rejects(both.explain(drawnImage(64, 64), ["a"]), {
    name: "TypeError",
    message: "Cannot explain a caption: 2 models form an ensemble; load one",
  });
}, NEEDS_FILES);
