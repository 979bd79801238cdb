import assert from "node:assert/strict";
import type { Batch } from "../../src/ffi/batch.ts";
import { Engine } from "../../src/ffi/engine.ts";
import type { EngineOptions, ModelSettings, TrainStepOptions } from "../../src/ffi/settings.ts";
import { digests, mapTensor, readNumbers, tensorNamed } from "./engine_state.ts";
import { fill } from "./formula.ts";
import { TINY_MODEL } from "../support/native.ts";
import { logitsOf } from "../support/test_abi.ts";
import { nativeTest } from "../support/native_test_case.ts";

const CPU: EngineOptions = { device: "cpu", precision: "fp64", threads: 1 };
const EMBED = 100;
const HIDDEN = 120;
const MODEL: ModelSettings = { ...TINY_MODEL, embedSize: EMBED, hiddenSize: HIDDEN };
const FEATURES = 32 * MODEL.encoderWidth;
const PROBABILITY = 0.3;
const STEPS = 100;

/** A step that changes nothing, so that it can be repeated. */
const STILL: TrainStepOptions = {
  optimizer: "adam",
  trainableFrom: "none",
  learningRate: 0,
  encoderLearningRate: 0,
};

/** One input token and one target: each element of a layer's input meets each of its weights once. */
const ONE_WORD: Batch = {
  images: { count: 1, values: Float32Array.from(fill("feature", FEATURES)) },
  imageOfRow: new Int32Array(1),
  inputs: new Int32Array([5]),
  inputsLength: 1,
  targets: new Int32Array([7]),
  targetsLength: 1,
};

const LONGER: Batch = {
  ...ONE_WORD,
  inputs: new Int32Array([2, 5, 6, 7]),
  inputsLength: 4,
  targets: new Int32Array([5, 6, 7, 3]),
  targetsLength: 4,
};

interface Dropped {
  /** The layer that reads the dropped elements. */
  readonly weight: string;
  /** The columns of its weight that meet the dropped elements. */
  readonly columns: readonly [number, number];
  readonly model: ModelSettings;
  readonly option: "featureDropout" | "embeddingDropout" | "lstmDropout" | "outputDropout";
  /** Whether the option also drops elements after that layer, which changes its rows' gradients. */
  readonly dropsFurther?: boolean;
}

const CASES: Record<string, Dropped> = {
  "embeddings": { weight: "lstm.weight_ih_l0", columns: [0, EMBED], model: MODEL, option: "embeddingDropout" },
  "embeddings before language layers": {
    weight: "language_lstm.weight_ih_l0",
    columns: [0, EMBED],
    model: { ...MODEL, languageLayers: 1 },
    option: "embeddingDropout",
  },
  "what goes between fusion layers": {
    weight: "lstm.weight_ih_l1",
    columns: [0, HIDDEN],
    model: { ...MODEL, fusionLayers: 2 },
    option: "lstmDropout",
  },
  "what goes between language layers": {
    weight: "language_lstm.weight_ih_l1",
    columns: [0, HIDDEN],
    model: { ...MODEL, languageLayers: 2 },
    option: "lstmDropout",
    dropsFurther: true,
  },
  "what goes from language to fusion layers, not the image feature": {
    weight: "lstm.weight_ih_l0",
    columns: [0, HIDDEN],
    model: { ...MODEL, languageLayers: 1 },
    option: "lstmDropout",
  },
  "image features": {
    weight: "resnet.fc.weight",
    columns: [0, FEATURES],
    model: MODEL,
    option: "featureDropout",
  },
  "the output layer's input": { weight: "linear.weight", columns: [0, HIDDEN], model: MODEL, option: "outputDropout" },
};

for (const [name, { weight, columns: [first, end], model, option, dropsFurther }] of Object.entries(CASES)) {
  nativeTest(`Engine.trainStep() drops a fraction of ${name}, and scales up the rest`, async () => {
    using engine = await Engine.open(model, CPU);
    // If the reading layer's weights are 0, its output does not depend on its input, and the gradient of each
    // weight is a constant times that input.
    await mapTensor(engine, weight, () => 0);
    const [rows = 0, width = 0] = (await tensorNamed(engine, weight)).shape;
    await engine.trainStep([ONE_WORD], STILL);
    const whole = await readNumbers(engine, `grad.${weight}`);
    let dropped = 0;
    for (let step = 0; step < STEPS; step++) {
      await engine.trainStep([ONE_WORD], { ...STILL, [option]: PROBABILITY });
      const gradient = await readNumbers(engine, `grad.${weight}`);
      const kept = new Set<number>();
      for (let row = 0; row < rows; row++) {
        let scale = dropsFurther ? NaN : 1 / (1 - PROBABILITY);
        for (let column = 0; column < width; column++) {
          const index = row * width + column;
          if (gradient[index] === 0) continue;
          kept.add(column);
          const ratio = (gradient[index] ?? NaN) / (whole[index] ?? NaN);
          if (Number.isNaN(scale)) scale = ratio;
          const expected = column >= first && column < end ? scale : 1;
          assert(Math.abs(ratio / expected - 1) < 1e-9, `${weight}[${row}, ${column}]: ${ratio}, not ${expected}`);
        }
      }
      dropped += width - kept.size;
      for (let column = end; column < width; column++) assert(kept.has(column), `column ${column} is dropped`);
    }
    const total = STEPS * (end - first);
    const deviation = Math.sqrt(PROBABILITY * (1 - PROBABILITY) / total);
    assert(
      Math.abs(dropped / total - PROBABILITY) < 4 * deviation,
      `${dropped / total} are dropped, not ${PROBABILITY}`,
    );
  });
}

for (const option of ["featureDropout", "embeddingDropout", "lstmDropout", "outputDropout"] as const) {
  const model = { ...MODEL, fusionLayers: 2 };

  nativeTest(`${option} affects training only`, async () => {
    using engine = await Engine.open(model, CPU);
    const { loss: evaluated } = await engine.evaluateStep(LONGER);
    const logits = await logitsOf(engine, LONGER, model.vocabularySize);
    const { loss: undropped } = await engine.trainStep([LONGER], STILL);
    const { loss: dropped } = await engine.trainStep([LONGER], { ...STILL, [option]: PROBABILITY });
    assert(Math.abs(undropped - evaluated) < 1e-12);
    assert(Math.abs(dropped - evaluated) > 1e-6);
    assert.equal((await engine.evaluateStep(LONGER)).loss, evaluated);
    assert.equal(
      Math.max(...(await logitsOf(engine, LONGER, model.vocabularySize)).map((x, i) => x - (logits[i] ?? NaN))),
      0,
    );
  });

  nativeTest(`${option} 0 takes no random number and changes nothing`, async () => {
    using engine = await Engine.open(model, CPU);
    const before = await digests(engine, ["random"]);
    const without = await engine.trainStep([LONGER], STILL);
    assert.deepEqual(await engine.trainStep([LONGER], { ...STILL, [option]: 0 }), without);
    await engine.evaluateStep(LONGER);
    assert.deepEqual(await digests(engine, ["random"]), before);
  });

  nativeTest(`${option} uses the engine's random state: restoring it repeats the step`, async () => {
    const losses: number[][] = [];
    for (const seed of [1, 1, 2]) {
      using engine = await Engine.open(model, { ...CPU, seed: 0 });
      using seeded = await Engine.open(model, { ...CPU, seed });
      await engine.write("rng", await seeded.read(await tensorNamed(seeded, "rng")));
      const state = await engine.read(await tensorNamed(engine, "rng"));
      const step = async () => (await engine.trainStep([LONGER], { ...STILL, [option]: PROBABILITY })).loss;
      const first = await step();
      assert.notEqual(await step(), first);
      await engine.write("rng", state);
      assert.equal(await step(), first);
      losses.push([first, await step()]);
    }
    const [one, same, other] = losses;
    assert.deepEqual(one, same);
    assert.notDeepEqual(one, other);
  });
}

nativeTest("lstmDropout has no effect with one layer", async () => {
  using engine = await Engine.open(MODEL, CPU);
  const before = await digests(engine, ["random"]);
  const without = await engine.trainStep([LONGER], STILL);
  assert.deepEqual(await engine.trainStep([LONGER], { ...STILL, lstmDropout: 0.9 }), without);
  assert.deepEqual(await digests(engine, ["random"]), before);
});
