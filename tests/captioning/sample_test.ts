import assert from "node:assert/strict";
import { sample, type SampleOptions, sampleToken } from "../../src/captioning/sample.ts";
import { Random } from "../../src/random.ts";
import {
  A,
  assertSame,
  bruteForce,
  constant,
  logProbability,
  randomTransitions,
  satisfies,
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

async function sampleMany(transitions: Transitions, options: Partial<SampleOptions> = {}) {
  const all = { ...searchOptions({ maxLength: 2 }), seed: 1, samples: 20_000, ...options };
  const [captions = []] = await sample(toyModel(transitions).step, all);
  return captions;
}

function count(captions: readonly { readonly tokens: readonly number[] }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { tokens } of captions) counts.set(tokens.join(" "), (counts.get(tokens.join(" ")) ?? 0) + 1);
  return counts;
}

/** The expected count of each caption of at most two tokens, token by token as the definition has it. */
function expectedCounts(transitions: Transitions, change: (values: readonly number[]) => number[], samples: number) {
  const expected = new Map<string, number>();
  const distribution = (before: number, position: number, mayEnd: boolean) => {
    const values = transitions(0, before, position).map((value, token) =>
      token >= A || (mayEnd && token === 3) ? value : -Infinity
    );
    const weights = change(values);
    const total = weights.reduce((sum, weight) => sum + weight);
    return weights.map((weight) => weight / total);
  };
  for (const [first, probability] of distribution(2, 0, false).entries()) {
    if (probability === 0) continue;
    for (const [second, other] of distribution(first, 1, true).entries()) {
      const tokens = second === 3 ? `${first}` : `${first} ${second}`;
      if (other > 0) expected.set(tokens, samples * probability * other);
    }
  }
  return expected;
}

const SETTINGS: Record<string, [Partial<SampleOptions>, (values: readonly number[]) => number[]]> = {
  "the model's probabilities": [{}, (values) => values.map(Math.exp)],
  "temperature 0.5": [{ temperature: 0.5 }, (values) => values.map((value) => Math.exp(value / 0.5))],
  "temperature 2": [{ temperature: 2 }, (values) => values.map((value) => Math.exp(value / 2))],
  "the 2 most probable tokens": [{ topK: 2 }, (values) => {
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
  Deno.test(`sample() samples captions from the distribution, by ${name}`, async () => {
    for (const seed of [1, 2, 3]) {
      const transitions = randomTransitions(seed);
      const captions = await sampleMany(transitions, { ...options, seed });
      const expected = expectedCounts(transitions, change, captions.length);
      const counts = count(captions);
      for (const tokens of counts.keys()) assert(expected.has(tokens), `${tokens} is cut off`);
      const [value, k] = chiSquare(counts, expected);
      assert(value < chiSquareLimit(k), `chi-square ${value} of ${k} degrees of freedom`);
    }
  });
}

Deno.test("sample() returns the model's own log-probabilities", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const transitions = randomTransitions(seed);
    const [captions = []] = await sample(toyModel(transitions).step, {
      ...searchOptions(),
      seed,
      samples: 4,
      temperature: 3,
      topK: 3,
    });
    for (const caption of captions) {
      assertSame(caption, { tokens: caption.tokens, logProbability: logProbability(caption.tokens, transitions) });
    }
  }
});

Deno.test("sample() gives the same captions with the same seed, and others with another", async () => {
  const transitions = constant([0, 0, 0, 0, 1, 1, 1, 1]);
  const sampled = async (seed: number) =>
    (await sampleMany(transitions, { seed, samples: 20 })).map(({ tokens }) => tokens);
  assert.deepEqual(await sampled(7), await sampled(7));
  assert.notDeepEqual(await sampled(7), await sampled(8));
});

Deno.test("sample() gives an image the same captions in every batch, by its key, and fewer samples are the first of more", async () => {
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

Deno.test("sample() satisfies the constraints", async () => {
  const changes = [{ forced: [5, 6] }, { noRepeatNgramSize: 1, minLength: 3 }, { badEndings: [4, 5, 6] }, {
    prefix: [7, 7],
  }];
  for (const change of changes) {
    for (let seed = 0; seed < 20; seed++) {
      const [captions = []] = await sample(toyModel(randomTransitions(seed)).step, {
        ...searchOptions(change),
        seed,
        samples: 10,
        topK: 1 + seed % 3,
      });
      for (const { tokens } of captions) assert(satisfies(tokens, change), `${tokens}`);
    }
  }
});

Deno.test("sample() reaches every caption", async () => {
  const transitions = constant([0, 0, 0, 0, 0, 0, 0, 0]);
  const captions = await sampleMany(transitions, { samples: 2000 });
  assert.equal(count(captions).size, bruteForce(transitions, { maxLength: 2 }).length);
});

const WORDS = [{ token: 4, logProbability: Math.log(0.5) }, { token: 5, logProbability: Math.log(0.3) }, {
  token: 6,
  logProbability: Math.log(0.2),
}];

Deno.test("sampleToken() cuts the distribution at topK and topP", () => {
  const sampled = (options: Parameters<typeof sampleToken>[2]) => {
    const random = new Random(1);
    return [...new Set(Array.from({ length: 200 }, () => sampleToken(WORDS, random, options)?.token))].sort();
  };
  assert.deepEqual(sampled({}), [4, 5, 6]);
  assert.deepEqual(sampled({ topK: 2 }), [4, 5]);
  assert.deepEqual(sampled({ topK: 1 }), [4]);
  assert.deepEqual(sampled({ topP: 0.49 }), [4]);
  assert.deepEqual(sampled({ topP: 0.51 }), [4, 5]);
  assert.deepEqual(sampled({ topP: 0.81 }), [4, 5, 6]);
  // Of 0.5 and 0.3 the first has 0.625.
  assert.deepEqual(sampled({ topK: 2, topP: 0.6 }), [4]);
  assert.deepEqual(sampled({ temperature: 0.001 }), [4]);
});

Deno.test("sampleToken() returns undefined if no token is permitted, and the last token if the random number is 1", () => {
  assert.equal(sampleToken([], new Random(1)), undefined);
  assert.equal(sampleToken(WORDS, { next: () => 1 })?.token, 6);
  assert.equal(sampleToken(WORDS, { next: () => 0 })?.token, 4);
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
