import assert from "node:assert/strict";
import { join } from "node:path";
import { saveCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { modelTensors } from "../../src/checkpoint/model_state.ts";
import { Engine } from "../../src/ffi/engine.ts";
import { Random } from "../../src/random.ts";
import { decodeImage } from "../../src/images/decode_image.ts";
import { captionHeldOut, type HeldOut, scoreHeldOut } from "../../src/sample/sample_result.ts";
import { renderScene } from "../../src/sample/scenes.ts";
import { NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";
import { TINY_MODEL } from "../support/native.ts";
import { nativeTest } from "../support/native_test_case.ts";

function heldOut(...pairs: readonly (readonly [string, readonly string[]])[]): HeldOut[] {
  return pairs.map(([caption, references], index) => ({ image: `held-out/${index}.png`, references, caption }));
}

Deno.test("scoreHeldOut() counts captions that equal one of their references", () => {
  const scenes = heldOut(
    ["a red kite", ["there is a red kite", "a red kite"]],
    ["a red kite", ["a blue kite"]],
    ["a blue kite ", ["a blue kite"]],
    ["a blue kite", ["a blue kite", "there is a blue kite"]],
  );
  const result = scoreHeldOut(scenes, 12.5);
  assert.equal(result.exactFraction, 0.5);
  assert(result.bleu4 >= 0 && result.bleu4 < 1 && result.cider > 0 && result.cider < 10);
  assert.equal(result.trainingSeconds, 12.5);
  assert.equal(result.heldOut, scenes);
});

Deno.test("scoreHeldOut() reports the best single caption, and the number of descriptions", () => {
  const result = scoreHeldOut(
    heldOut(
      ["x", ["a red kite", "there is a red kite"]],
      ["x", ["there is a red kite", "a red kite"]],
      ["x", ["a blue kite"]],
      ["x", ["a green kite"]],
    ),
    0,
  );
  assert.deepEqual([result.descriptions, result.bestSingleCaptionFraction, result.exactFraction], [3, 0.5, 0]);
});

Deno.test("scoreHeldOut() counts captions of shuffled scenes as wrong if every scene is different", () => {
  const different = Array.from({ length: 100 }, (_, index) => [`kite ${index}`, [`kite ${index}`]] as const);
  const result = scoreHeldOut(heldOut(...different), 0);
  assert.equal(result.exactFraction, 1);
  assert(result.shuffledFraction < 0.05, `${result.shuffledFraction}`);
  const same = new Array(10).fill(["a kite", ["a kite"]] as const);
  assert.equal(scoreHeldOut(heldOut(...same), 0).shuffledFraction, 1);
});

nativeTest("captionHeldOut() writes the scenes beside the run and captions the files", async () => {
  await using folder = await temporaryFolder();
  const checkpoint = folder.file("best.safetensors");
  {
    using engine = await Engine.open(TINY_MODEL, { device: "cpu", precision: "fp32", threads: 1 });
    await saveCheckpoint(checkpoint, {
      metadata: {
        recipe: "sample",
        model: TINY_MODEL,
        preprocessing: { imageSize: 32, shortSide: 37, applyExif: true },
        vocabulary: ["<pad>", "<unk>", "<start>", "<end>", ...Array.from({ length: 36 }, (_, index) => `word${index}`)],
        decoding: { maxLength: 4, beamSize: 1 },
        datasetFingerprint: "",
        epoch: 1,
        metrics: {},
      },
      tensors: await modelTensors(engine, ["parameter", "buffer"]),
    });
  }
  const random = new Random(0);
  const scenes = Array.from({ length: 33 }, () => renderScene(32, random));
  const progress: number[] = [];
  const captioned = await captionHeldOut(scenes, {
    out: folder.path,
    checkpoint,
    signal: new AbortController().signal,
    onProgress: (done) => progress.push(done),
  });
  assert.deepEqual(progress, Array.from({ length: 33 }, (_, index) => index + 1));
  assert.deepEqual(captioned.map(({ references }) => references), scenes.map(({ captions }) => captions));
  assert.equal(captioned[32]?.image, join("held-out", "033.png"));
  assert(captioned.every(({ caption }) => /^word\d+/.test(caption)));
  for (const index of [0, 32]) {
    const file = await Deno.readFile(join(folder.path, captioned[index]?.image ?? ""));
    assert.deepEqual(await decodeImage(file), scenes[index]?.image);
  }
}, NEEDS_FILES);
