import assert from "node:assert/strict";
import { Engine } from "../../src/ffi/engine.ts";
import type { ModelSettings } from "../../src/ffi/settings.ts";
import { type Reward, selfCriticalBatch, type SelfCriticalOptions } from "../../src/pipeline/self_critical.ts";
import { Vocabulary } from "../../src/text/vocabulary.ts";
import { nativeTest } from "../support/native_test_case.ts";

const vocabulary = new Vocabulary(["<pad>", "<unk>", "<start>", "<end>", "a", "red", "green", "kite", "boat"]);
const MODEL: ModelSettings = {
  vocabularySize: vocabulary.words.length,
  embedSize: 8,
  hiddenSize: 12,
  languageLayers: 0,
  fusionLayers: 1,
  inject: "every",
  encoderWidth: 2,
  encoderBlocks: [1, 1, 1, 1],
};
const FEATURES = { count: 3, values: Float32Array.from({ length: 3 * 64 }, (_, index) => Math.sin(index)) };
const examples = [0, 1, 2].map((index) => ({
  example: { name: `${index}.png`, path: `${index}.png`, captions: [] },
  captions: [Int32Array.of(2, 4, 5 + index, 3), Int32Array.of(2, 4, 7, 3)],
}));

/** As good as a caption is long. */
const lengthReward: Reward = (captions) => captions.map((words) => words.length);

function optionsOf(changes: Partial<SelfCriticalOptions>): SelfCriticalOptions {
  return {
    vocabulary,
    model: MODEL,
    decoding: { maxLength: 6 },
    ...{ reward: lengthReward, baseline: "samples", samples: 4, seed: 1 },
    ...changes,
  };
}

async function openEngine(): Promise<Engine> {
  return await Engine.open(MODEL, { device: "cpu", precision: "fp32", threads: 1, seed: 5 });
}

/** The words of each row, `<end>` included. */
function rowsOf({ targets, targetsLength }: { targets: Int32Array; targetsLength: number }): number[][] {
  return Array.from(
    { length: targets.length / targetsLength },
    (_, row) => [...targets.subarray(row * targetsLength, (row + 1) * targetsLength)].filter((word) => word >= 0),
  );
}

nativeTest(
  "selfCriticalBatch() weighs each caption by its reward less the mean of the image's other ones",
  async () => {
    using engine = await openEngine();
    const { batch, reward } = await selfCriticalBatch(engine, { images: FEATURES, examples }, optionsOf({}));
    assert.deepEqual([...batch.imageOfRow], [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
    const rewards = rowsOf(batch).map((words) => words.length);
    for (const [row, weight] of batch.rowWeights?.entries() ?? []) {
      const first = row - row % 4;
      const others = rewards.slice(first, first + 4).reduce((sum, value) => sum + value, 0) - (rewards[row] ?? NaN);
      assert(Math.abs(weight - ((rewards[row] ?? NaN) - others / 3)) < 1e-6);
    }
    assert.equal(batch.rowWeights?.length, 12);
    assert(Math.abs(reward - rewards.reduce((sum, value) => sum + value, 0) / 12) < 1e-12);
  },
);

nativeTest("selfCriticalBatch() weighs each caption by its reward less that of the greedy caption", async () => {
  using engine = await openEngine();
  const seen: number[][] = [];
  const reward: Reward = (captions, references) => {
    assert(references.every((words) => words[0] === 4 && words.at(-1) === 3));
    assert(captions.every((words) => words.at(-1) === 3 || words.length === 6));
    assert.equal(captions.length, 5);
    seen.push([...captions.at(-1) ?? []]);
    return lengthReward(captions, references);
  };
  const options = optionsOf({ baseline: "greedy", reward });
  const { batch } = await selfCriticalBatch(engine, { images: FEATURES, examples }, options);
  const rows = rowsOf(batch);
  for (const [row, weight] of batch.rowWeights?.entries() ?? []) {
    assert.equal(weight, (rows[row]?.length ?? NaN) - (seen[Math.floor(row / 4)]?.length ?? NaN));
  }
});

nativeTest("selfCriticalBatch() does not end a caption that was cut off", async () => {
  using engine = await openEngine();
  const rewarded: number[][] = [];
  const reward: Reward = (captions, references) => {
    rewarded.push(...captions.map((ids) => [...ids]));
    return lengthReward(captions, references);
  };
  const { batch } = await selfCriticalBatch(engine, { images: FEATURES, examples }, optionsOf({ reward, samples: 20 }));
  const rows = rowsOf(batch);
  assert.deepEqual(rows, rewarded);
  assert(rows.some((words) => words.length === 6 && !words.includes(3)), "some captions are cut off");
  assert(rows.some((words) => words.length < 6), "some captions end");
  for (const words of rows) {
    assert.equal(words.indexOf(3), words.length <= 6 && words.at(-1) === 3 ? words.length - 1 : -1);
  }
});

nativeTest("selfCriticalBatch() draws by its seed alone, and needs others to compare with", async () => {
  using engine = await openEngine();
  const seen = { images: FEATURES, examples };
  const words = async (seed: number) => rowsOf((await selfCriticalBatch(engine, seen, optionsOf({ seed }))).batch);
  assert.deepEqual(await words(1), await words(1));
  assert.notDeepEqual(await words(1), await words(2));
  await assert.rejects(selfCriticalBatch(engine, seen, optionsOf({ samples: 1 })), RangeError);
});

for (const baseline of ["greedy", "samples"] as const) {
  nativeTest(`a model that learns from selfCriticalBatch() earns more, baseline ${baseline}`, async () => {
    using engine = await openEngine();
    const wanted = vocabulary.encode(["a"])[0];
    const reward: Reward = (captions) => captions.map((words) => words.filter((word) => word === wanted).length);
    const rewards: number[] = [];
    for (let step = 0; step < 60; step++) {
      const options = optionsOf({ baseline, reward, samples: 5, seed: step });
      const drawn = await selfCriticalBatch(engine, { images: FEATURES, examples }, options);
      rewards.push(drawn.reward);
      await engine.trainStep([drawn.batch], {
        ...{ optimizer: "adam", trainableFrom: "none", learningRate: 0.01, encoderLearningRate: 0 },
      });
    }
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const [early, late] = [mean(rewards.slice(0, 10)), mean(rewards.slice(-10))];
    assert(late > early + 1, `${early} to ${late}`);
  });
}
