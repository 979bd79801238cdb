import assert from "node:assert/strict";
import { beamSearch, type BeamSearchOptions, type DecodeStep } from "../../src/captioning/beam_search.ts";
import type { WordSequence } from "../../src/captioning/caption.ts";
import { Random } from "../../src/pipeline/random.ts";

const [PAD, UNKNOWN, START, END, A] = [0, 1, 2, 3, 4];
const WORDS = 8;
const OPTIONS: BeamSearchOptions = {
  images: 1,
  beam: 3,
  maxWords: 4,
  start: START,
  end: END,
  never: [PAD, UNKNOWN, START],
  vocabularySize: WORDS,
  imageFirst: false,
};

/** log p(next word | image, word before): rows of natural logarithms of probabilities that sum to 1. */
type Transitions = (image: number, before: number) => readonly number[];

function logProbabilities(scores: readonly number[]): number[] {
  const total = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
  return scores.map((score) => score - total);
}

/** Transitions drawn at random; what may not be written is likely, so that a search is led astray. */
function randomTransitions(seed: number): Transitions {
  const random = new Random(seed);
  const tables = Array.from(
    { length: 4 },
    () =>
      Array.from(
        { length: WORDS },
        () =>
          logProbabilities(
            Array.from({ length: WORDS }, (_, word) => 4 * random.next() + (word < END ? 2 : word === END ? 1.5 : 0)),
          ),
      ),
  );
  return (image, before) => tables[image]?.[before] ?? [];
}

/** The same transitions after every word and for every image. */
function constant(scores: readonly number[]): Transitions {
  return () => logProbabilities(scores);
}

/** A model with one row for each image that knows a row's image and last word by its parent alone. */
function toyModel(transitions: Transitions, images = [0]) {
  let rows = images.map((image) => ({ image, before: -1 }));
  const calls: { rows: number; words: readonly number[] | null; k: number }[] = [];
  const step: DecodeStep = (parents, words, k) => {
    calls.push({ rows: parents.length, words: words && [...words], k });
    rows = Array.from(parents, (parent, row) => {
      const from = rows[parent];
      assert(from !== undefined, `row ${parent} is not there`);
      return { image: from.image, before: words?.[row] ?? -1 };
    });
    const best = rows.map(({ image, before }) =>
      [...(words ? transitions(image, before) : new Array<number>(WORDS).fill(0)).entries()]
        .sort(([, a], [, b]) => b - a).slice(0, k)
    );
    return Promise.resolve({
      words: Int32Array.from(best.flat(), ([word]) => word),
      logProbabilities: Float32Array.from(best.flat(), ([, value]) => value),
    });
  };
  return { step, calls };
}

/** A caption's log-probability with its end. */
function logProbability(words: readonly number[], transitions: Transitions, image = 0): number {
  let sum = 0;
  [...words, END].forEach((word, index) => sum += transitions(image, words[index - 1] ?? START)[word] ?? NaN);
  return sum;
}

/** The most probable of all captions of 1 to `maxWords` words. */
function bruteForce(transitions: Transitions, maxWords: number, image = 0): WordSequence {
  let best: WordSequence = { words: [], logProbability: -Infinity };
  const visit = (words: readonly number[]) => {
    if (words.length > 0) {
      const value = logProbability(words, transitions, image);
      if (value > best.logProbability) best = { words, logProbability: value };
    }
    if (words.length === maxWords) return;
    for (let word = A; word < WORDS; word++) visit([...words, word]);
  };
  visit([]);
  return best;
}

function assertSame(actual: WordSequence | undefined, expected: WordSequence): void {
  assert.deepEqual(actual?.words, expected.words);
  assert(
    Math.abs((actual?.logProbability ?? NaN) - expected.logProbability) < 1e-5,
    `${actual?.logProbability} is not ${expected.logProbability}: ${actual?.words}`,
  );
}

async function search(transitions: Transitions, change: Partial<BeamSearchOptions> = {}) {
  const [caption] = await beamSearch(toyModel(transitions).step, { ...OPTIONS, ...change });
  assert(caption !== undefined);
  return caption;
}

Deno.test("beamSearch() as wide as all continuations finds what brute force finds", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const transitions = randomTransitions(seed);
    assertSame(await search(transitions, { beam: WORDS ** 4 }), bruteForce(transitions, 4));
  }
});

Deno.test("beamSearch() with beam 1 takes the most probable word that may stand there, each time", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const transitions = randomTransitions(seed);
    const words: number[] = [];
    while (words.length < 20) {
      const next = transitions(0, words.at(-1) ?? START).map((value, word) => ({ value, word }))
        .filter(({ word }) => word >= A || (word === END && words.length > 0))
        .sort((a, b) => b.value - a.value)[0]?.word ?? END;
      if (next === END) break;
      words.push(next);
    }
    const caption = await search(transitions, { beam: 1, maxWords: 20 });
    assert.deepEqual(caption.words, words);
  }
});

Deno.test("beamSearch() finds a caption whose beginning is less probable, where greedy search does not", async () => {
  const likely = (word: number, rest: number) =>
    logProbabilities(Array.from({ length: WORDS }, (_, other) => other === word ? 10 : rest));
  // After <start>, 4 is a little likelier than 5; but only after 5 is <end> sure.
  const start = logProbabilities([-9, -9, -9, -9, 2, 1.9, -9, -9]);
  const transitions: Transitions = (_, before) =>
    before === START ? start : before === 5 ? likely(END, 0) : logProbabilities(new Array(WORDS).fill(0));
  assert.equal((await search(transitions, { beam: 1 })).words[0], 4);
  assert.deepEqual((await search(transitions, { beam: 2 })).words, [5]);
});

Deno.test("beamSearch() gives every image of a batch the caption that it has alone", async () => {
  for (let seed = 0; seed < 10; seed++) {
    const transitions = randomTransitions(seed);
    const images = [2, 0, 3, 1];
    for (const beam of [1, 2, 5]) {
      const together = await beamSearch(toyModel(transitions, images).step, { ...OPTIONS, images: 4, beam });
      for (const [index, image] of images.entries()) {
        const [alone] = await beamSearch(toyModel(transitions, [image]).step, { ...OPTIONS, beam });
        assert.deepEqual(together[index], alone);
      }
    }
  }
});

Deno.test("beamSearch() writes no padding, unknown word or start, however likely", async () => {
  for (let seed = 0; seed < 10; seed++) {
    const { words } = await search(randomTransitions(seed));
    assert(words.every((word) => word >= A), String(words));
  }
  const specials = constant([9, 9, 9, 0, 0.1, 0, 0, 0]);
  for (const beam of [1, 2, 3]) assert((await search(specials, { beam })).words.every((word) => word >= A));
});

Deno.test("beamSearch() writes at least one word where the end is always likeliest", async () => {
  const transitions = constant([0, 0, 0, 20, 1, 2, 1, 1]);
  for (const beam of [1, 2, 8]) {
    const caption = await search(transitions, { beam });
    assertSame(caption, { words: [5], logProbability: logProbability([5], transitions) });
  }
});

Deno.test("beamSearch() takes the best unfinished caption where none comes to its end", async () => {
  const transitions = constant([0, 0, 0, -50, 1, 3, 1, 1]);
  const row = transitions(0, START);
  for (const beam of [1, 2]) {
    const caption = await search(transitions, { beam, maxWords: 3 });
    assertSame(caption, { words: [5, 5, 5], logProbability: 3 * (row[5] ?? NaN) });
  }
});

Deno.test("beamSearch() ends a caption of maxWords words even where another word is likelier", async () => {
  const transitions = constant([0, 0, 0, 2, 1, 3, 1, 1]);
  for (const beam of [1, 2]) {
    const caption = await search(transitions, { beam, maxWords: 1 });
    assertSame(caption, { words: [5], logProbability: logProbability([5], transitions) });
  }
});

Deno.test("beamSearch() writes at most maxWords words", async () => {
  for (let seed = 0; seed < 10; seed++) {
    for (const maxWords of [1, 2, 3]) {
      const { words } = await search(randomTransitions(seed), { maxWords });
      assert(words.length >= 1 && words.length <= maxWords);
    }
  }
});

Deno.test("beamSearch() gives the summed log-probability of the words and of <end>", async () => {
  for (let seed = 0; seed < 10; seed++) {
    const transitions = randomTransitions(seed);
    const caption = await search(transitions, { maxWords: 20 });
    assertSame(caption, { words: caption.words, logProbability: logProbability(caption.words, transitions) });
  }
});

Deno.test("beamSearch() gives no word at the image's own step, then <start>", async () => {
  const { step, calls } = toyModel(randomTransitions(1), [0, 1]);
  const first = await beamSearch(step, { ...OPTIONS, images: 2, imageFirst: true });
  assert.deepEqual(calls.slice(0, 2).map(({ rows, words }) => ({ rows, words })), [
    { rows: 2, words: null },
    { rows: 2, words: [START, START] },
  ]);
  const every = toyModel(randomTransitions(1), [0, 1]);
  assert.deepEqual(first, await beamSearch(every.step, { ...OPTIONS, images: 2 }));
  assert.deepEqual(every.calls[0]?.words, [START, START]);
});

Deno.test("beamSearch() refuses a beam that is no positive integer", async () => {
  for (const beam of [0, -1, 1.5, NaN]) {
    await assert.rejects(search(randomTransitions(0), { beam }), RangeError);
  }
});
