import assert from "node:assert/strict";
import { draw, sample, type SampleOptions } from "../../src/captioning/sample.ts";
import { Random } from "../../src/random.ts";
import {
  A,
  assertSame,
  bruteForce,
  constant,
  keeps,
  logProbability,
  randomTransitions,
  searchOptions,
  toyModel,
  type Transitions,
} from "./toy_model.ts";

/** The 99.9th percentile of chi-square with k degrees of freedom (Wilson and Hilferty's approximation). */
function chiSquareLimit(k: number): number {
  return k * (1 - 2 / (9 * k) + 3.09 * Math.sqrt(2 / (9 * k))) ** 3;
}

/** Chi-square of counts against expected ones, those under 5 taken together. */
function chiSquare(
  counts: ReadonlyMap<string, number>,
  expected: ReadonlyMap<string, number>,
): [value: number, k: number] {
  let [value, k, restCount, restExpected] = [0, -1, 0, 0];
  for (const [key, mean] of expected) {
    const count = counts.get(key) ?? 0;
    if (mean < 5) [restCount, restExpected] = [restCount + count, restExpected + mean];
    else [value, k] = [value + (count - mean) ** 2 / mean, k + 1];
  }
  return restExpected > 0 ? [value + (restCount - restExpected) ** 2 / restExpected, k + 1] : [value, k];
}

async function drawMany(transitions: Transitions, options: Partial<SampleOptions> = {}) {
  const all = { ...searchOptions({ maxLength: 2 }), seed: 1, samples: 20_000, ...options };
  const [captions = []] = await sample(toyModel(transitions).step, all);
  return captions;
}

function count(captions: readonly { readonly words: readonly number[] }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { words } of captions) counts.set(words.join(" "), (counts.get(words.join(" ")) ?? 0) + 1);
  return counts;
}

/** How often each caption of at most two words is to come, word by word as the definition has it. */
function expectedCounts(transitions: Transitions, change: (values: readonly number[]) => number[], samples: number) {
  const expected = new Map<string, number>();
  const shares = (before: number, place: number, mayEnd: boolean) => {
    const values = transitions(0, before, place).map((value, word) =>
      word >= A || (mayEnd && word === 3) ? value : -Infinity
    );
    const weights = change(values);
    const total = weights.reduce((sum, weight) => sum + weight);
    return weights.map((weight) => weight / total);
  };
  for (const [first, share] of shares(2, 0, false).entries()) {
    if (share === 0) continue;
    for (const [second, other] of shares(first, 1, true).entries()) {
      const words = second === 3 ? `${first}` : `${first} ${second}`;
      if (other > 0) expected.set(words, samples * share * other);
    }
  }
  return expected;
}

const SETTINGS: Record<string, [Partial<SampleOptions>, (values: readonly number[]) => number[]]> = {
  "the model's probabilities": [{}, (values) => values.map(Math.exp)],
  "temperature 0.5": [{ temperature: 0.5 }, (values) => values.map((value) => Math.exp(value / 0.5))],
  "temperature 2": [{ temperature: 2 }, (values) => values.map((value) => Math.exp(value / 2))],
  "the 2 most probable words": [{ topK: 2 }, (values) => {
    const least = values.toSorted((a, b) => b - a)[1] ?? 0;
    return values.map((value) => value >= least ? Math.exp(value) : 0);
  }],
  "a nucleus of 0.6 at temperature 2": [{ temperature: 2, topP: 0.6 }, (values) => {
    const weights = values.map((value) => Math.exp(value / 2));
    const total = weights.reduce((sum, weight) => sum + weight);
    const before = (weight: number) => weights.filter((other) => other > weight).reduce((sum, other) => sum + other, 0);
    return weights.map((weight) => before(weight) < 0.6 * total ? weight : 0);
  }],
};

for (const [name, [options, change]] of Object.entries(SETTINGS)) {
  Deno.test(`sample() draws captions as often as they are to come, by ${name}`, async () => {
    for (const seed of [1, 2, 3]) {
      const transitions = randomTransitions(seed);
      const captions = await drawMany(transitions, { ...options, seed });
      const expected = expectedCounts(transitions, change, captions.length);
      const counts = count(captions);
      for (const words of counts.keys()) assert(expected.has(words), `${words} is cut off`);
      const [value, k] = chiSquare(counts, expected);
      assert(value < chiSquareLimit(k), `chi-square ${value} of ${k} degrees of freedom`);
    }
  });
}

Deno.test("sample() gives the model's own log-probability of what it draws", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const transitions = randomTransitions(seed);
    const [captions = []] = await sample(toyModel(transitions).step, {
      ...searchOptions(),
      ...{ seed, samples: 4, temperature: 3, topK: 3 },
    });
    for (const caption of captions) {
      assertSame(caption, { words: caption.words, logProbability: logProbability(caption.words, transitions) });
    }
  }
});

Deno.test("sample() draws the same with the same seed, and something else with another", async () => {
  const transitions = constant([0, 0, 0, 0, 1, 1, 1, 1]);
  const drawn = async (seed: number) => (await drawMany(transitions, { seed, samples: 20 })).map(({ words }) => words);
  assert.deepEqual(await drawn(7), await drawn(7));
  assert.notDeepEqual(await drawn(7), await drawn(8));
});

Deno.test("sample() draws for an image the same in every batch, by its key, and the first captions of more", async () => {
  const transitions = randomTransitions(4);
  const images = [2, 0, 3, 1];
  const options = { ...searchOptions(), seed: 5, samples: 6 };
  const keys = [20, 4_000_000_000, 0, 21];
  const together = await sample(toyModel(transitions, images).step, { ...options, images: 4, keys });
  for (const [index, image] of images.entries()) {
    const alone = { ...options, keys: [keys[index] ?? 0] };
    assert.deepEqual(await sample(toyModel(transitions, [image]).step, alone), [together[index]]);
    const fewer = await sample(toyModel(transitions, [image]).step, { ...alone, samples: 2 });
    assert.deepEqual(fewer[0], together[index]?.slice(0, 2));
  }
  // Images of one probability table, with other keys, have other captions.
  const [first, second] = await sample(toyModel(transitions, [0, 0]).step, { ...options, images: 2 });
  assert.notDeepEqual(first, second);
});

Deno.test("sample() keeps to the constraints", async () => {
  const changes = [{ forced: [5, 6] }, { noRepeatNgramSize: 1, minLength: 3 }, { badEndings: [4, 5, 6] }, {
    prefix: [7, 7],
  }];
  for (const change of changes) {
    for (let seed = 0; seed < 20; seed++) {
      const [captions = []] = await sample(toyModel(randomTransitions(seed)).step, {
        ...searchOptions(change),
        ...{ seed, samples: 10, topK: 1 + seed % 3 },
      });
      for (const { words } of captions) assert(keeps(words, change), `${words}`);
    }
  }
});

Deno.test("sample() reaches every caption that there is", async () => {
  const transitions = constant([0, 0, 0, 0, 0, 0, 0, 0]);
  const captions = await drawMany(transitions, { samples: 2000 });
  assert.equal(count(captions).size, bruteForce(transitions, { maxLength: 2 }).length);
});

const WORDS = [{ word: 4, logProbability: Math.log(0.5) }, { word: 5, logProbability: Math.log(0.3) }, {
  word: 6,
  logProbability: Math.log(0.2),
}];

Deno.test("draw() cuts off what topK and topP say, and no more", () => {
  const drawn = (options: Parameters<typeof draw>[2]) => {
    const random = new Random(1);
    return [...new Set(Array.from({ length: 200 }, () => draw(WORDS, random, options)?.word))].sort();
  };
  assert.deepEqual(drawn({}), [4, 5, 6]);
  assert.deepEqual(drawn({ topK: 2 }), [4, 5]);
  assert.deepEqual(drawn({ topK: 1 }), [4]);
  assert.deepEqual(drawn({ topP: 0.49 }), [4]);
  assert.deepEqual(drawn({ topP: 0.51 }), [4, 5]);
  assert.deepEqual(drawn({ topP: 0.81 }), [4, 5, 6]);
  // Of 0.5 and 0.3 the first has 0.625.
  assert.deepEqual(drawn({ topK: 2, topP: 0.6 }), [4]);
  assert.deepEqual(drawn({ temperature: 0.001 }), [4]);
});

Deno.test("draw() draws nothing from nothing, and the last where the random number is at its end", () => {
  assert.equal(draw([], new Random(1)), undefined);
  assert.equal(draw(WORDS, { next: () => 1 })?.word, 6);
  assert.equal(draw(WORDS, { next: () => 0 })?.word, 4);
});

Deno.test("sample() refuses numbers that are out of range", async () => {
  const wrong: Partial<SampleOptions>[] = [
    ...[0, -1, NaN, Infinity].map((temperature) => ({ temperature })),
    ...[0, 1.5].map((topK) => ({ topK })),
    ...[0, 1.1, NaN].map((topP) => ({ topP })),
    ...[0, 1.5].map((samples) => ({ samples })),
    { seed: -1 },
  ];
  for (const options of wrong) {
    const all = { ...searchOptions(), seed: 1, ...options };
    await assert.rejects(sample(toyModel(randomTransitions(0)).step, all), RangeError);
  }
});
