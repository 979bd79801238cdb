import assert from "node:assert/strict";
import { beamSearch, type BeamSearchOptions } from "../../src/captioning/beam_search.ts";
import type { ConstraintsOptions } from "../../src/captioning/constraints.ts";
import { withImagesFirst } from "../../src/captioning/hypotheses.ts";
import { InputError } from "../../src/input_error.ts";
import {
  A,
  ALL,
  assertSame,
  bruteForce,
  constant,
  END,
  logProbabilities,
  logProbability,
  MOST,
  randomTransitions,
  searchOptions,
  START,
  toyModel,
  type Transitions,
  WORDS,
} from "./toy_model.ts";

const PENALTIES = [0, 0.5, 1, 2];

async function searchAll(
  transitions: Transitions,
  options: Partial<BeamSearchOptions> = {},
  change: Partial<ConstraintsOptions> = {},
) {
  const [captions] = await beamSearch(toyModel(transitions).step, {
    ...searchOptions(change),
    beamSize: 3,
    ...options,
  });
  assert(captions !== undefined && captions.length > 0);
  return captions;
}

async function search(
  transitions: Transitions,
  options: Partial<BeamSearchOptions> = {},
  change: Partial<ConstraintsOptions> = {},
) {
  const [caption] = await searchAll(transitions, options, change);
  assert(caption !== undefined);
  return caption;
}

Deno.test("beamSearch() as wide as all continuations finds what brute force finds, under every length penalty", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const transitions = randomTransitions(seed);
    for (const lengthPenalty of PENALTIES) {
      const expected = bruteForce(transitions, {}, lengthPenalty)[0];
      assertSame(await search(transitions, { beamSize: ALL, lengthPenalty }), expected);
    }
  }
});

Deno.test("beamSearch() as wide as all continuations returns the n best captions, without duplicates, best first", async () => {
  for (let seed = 0; seed < 5; seed++) {
    const transitions = randomTransitions(seed);
    for (const lengthPenalty of PENALTIES) {
      const expected = bruteForce(transitions, {}, lengthPenalty);
      for (const nBest of [2, 17, ALL]) {
        const captions = await searchAll(transitions, { beamSize: ALL, nBest, lengthPenalty });
        assert.equal(captions.length, Math.min(nBest, expected.length));
        for (const [index, caption] of captions.entries()) assertSame(caption, expected[index]);
      }
    }
  }
});

Deno.test("beamSearch() returns up to nBest captions, without duplicates, best first", async () => {
  for (let seed = 0; seed < 30; seed++) {
    for (const beamSize of [1, 2, 5]) {
      const captions = await searchAll(randomTransitions(seed), { beamSize, nBest: beamSize });
      assert.equal(captions.length, beamSize);
      assert.equal(new Set(captions.map(({ tokens }) => tokens.join(" "))).size, beamSize);
      const values = captions.map(({ logProbability }) => logProbability);
      assert.deepEqual(values, values.toSorted((a, b) => b - a));
    }
  }
});

Deno.test("beamSearch() with beam size 1 takes the most probable permitted token at each step", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const transitions = randomTransitions(seed);
    const tokens: number[] = [];
    while (tokens.length < 20) {
      const next = transitions(0, tokens.at(-1) ?? START, tokens.length).map((value, token) => ({ value, token }))
        .filter(({ token }) => token >= A || (token === END && tokens.length > 0))
        .sort((a, b) => b.value - a.value)[0]?.token ?? END;
      if (next === END) break;
      tokens.push(next);
    }
    const caption = await search(transitions, { beamSize: 1 }, { maxLength: 20 });
    assert.deepEqual(caption.tokens, tokens);
  }
});

Deno.test("beamSearch() never returns a caption with a lower score than greedy search, whatever the constraints", async () => {
  const changes = [{}, { forced: [5, 7] }, { noRepeatNgramSize: 2, minLength: 3 }, { badEndings: [4, 5] }];
  for (let seed = 0; seed < 300; seed++) {
    const transitions = randomTransitions(seed);
    const change = { maxLength: 12, ...changes[seed % changes.length] };
    const lengthPenalty = PENALTIES[seed % PENALTIES.length] ?? 0;
    const scoreOf = async (beamSize: number) => {
      const { tokens, logProbability } = await search(transitions, { beamSize, lengthPenalty }, change);
      return logProbability / (tokens.length + 1) ** lengthPenalty;
    };
    const greedy = await scoreOf(1);
    for (const beamSize of [2, 3]) assert(await scoreOf(beamSize) >= greedy, `seed ${seed}, beamSize ${beamSize}`);
  }
});

Deno.test("beamSearch() finds greedy search's caption even if the beam loses it", async () => {
  // 4 and then sure 5, 6 is the best in the end; but after 4 the beam of 2 continues from 7 alone, which leads nowhere.
  const rows: Record<number, readonly number[]> = {
    [START]: [0, 0, 0, 0, 0.5, 0, 0, 0.49],
    [A]: [0, 0, 0, 0, 0, 0.4, 0.3, 0.3],
    7: [0, 0, 0, 0, 0, 0, 0.5, 0.5],
    6: [0, 0, 0, 0.1, 0.3, 0.2, 0.2, 0.2],
    5: [0, 0, 0, 1, 0, 0, 0, 0],
  };
  const transitions: Transitions = (_, before) => (rows[before] ?? []).map(Math.log);
  const greedy = await search(transitions, { beamSize: 1 });
  assert.deepEqual(greedy.tokens, [4, 5]);
  assert((await search(transitions, { beamSize: 2 })).logProbability >= greedy.logProbability);
});

Deno.test("beamSearch() finds a caption whose beginning is less probable, and greedy search does not", async () => {
  const likely = (token: number, rest: number) =>
    logProbabilities(Array.from({ length: WORDS }, (_, other) => other === token ? 10 : rest));
  // After <start>, 4 is a little likelier than 5; but only after 5 is <end> sure.
  const start = logProbabilities([-9, -9, -9, -9, 2, 1.9, -9, -9]);
  const transitions: Transitions = (_, before) =>
    before === START ? start : before === 5 ? likely(END, 0) : logProbabilities(new Array(WORDS).fill(0));
  assert.equal((await search(transitions, { beamSize: 1 })).tokens[0], 4);
  assert.deepEqual((await search(transitions, { beamSize: 2 })).tokens, [5]);
});

Deno.test("beamSearch() puts a forced token at its best position, however narrow the beam and improbable the token", async () => {
  const transitions = constant([0, 0, 0, 4, 3, 2, 1, -9]);
  for (const beamSize of [1, 2]) {
    assertSame(
      await search(transitions, { beamSize }, { forced: [7] }),
      { tokens: [7], logProbability: logProbability([7], transitions) },
    );
  }
});

Deno.test("beamSearch() returns longer captions under a higher length penalty", async () => {
  let [shorter, longer] = [0, 0];
  for (let seed = 0; seed < 50; seed++) {
    const lengths: number[] = [];
    for (const lengthPenalty of [0, 1]) {
      lengths.push(
        (await search(randomTransitions(seed), { beamSize: 50, lengthPenalty }, { maxLength: 12 })).tokens.length,
      );
    }
    const [without = 0, with1 = 0] = lengths;
    if (with1 > without) longer++;
    if (with1 < without) shorter++;
  }
  assert.equal(shorter, 0);
  assert(longer > 10, `${longer} became longer`);
});

Deno.test("beamSearch() returns the same captions for an image alone and in a batch", async () => {
  const changes = [{}, { forced: [6], maxLength: 6 }, { noRepeatNgramSize: 1, badEndings: [4] }];
  for (let seed = 0; seed < 12; seed++) {
    const transitions = randomTransitions(seed);
    const images = [2, 0, 3, 1];
    const change = changes[seed % changes.length] ?? {};
    for (const [beamSize, nBest, lengthPenalty] of [[1, 1, 0], [2, 1, 1], [5, 3, 0.7]] as const) {
      const options = { ...searchOptions(change), beamSize, nBest, lengthPenalty };
      const together = await beamSearch(toyModel(transitions, images).step, { ...options, images: 4 });
      for (const [index, image] of images.entries()) {
        const [alone] = await beamSearch(toyModel(transitions, [image]).step, options);
        assert.deepEqual(together[index], alone);
      }
    }
  }
});

Deno.test("beamSearch() generates no <pad>, <unk> or <start>, however likely", async () => {
  for (let seed = 0; seed < 10; seed++) {
    const { tokens } = await search(randomTransitions(seed));
    assert(tokens.every((token) => token >= A), String(tokens));
  }
  const specials = constant([9, 9, 9, 0, 0.1, 0, 0, 0]);
  for (const beamSize of [1, 2, 3]) assert((await search(specials, { beamSize })).tokens.every((token) => token >= A));
});

Deno.test("beamSearch() generates no id beyond the vocabulary, however likely", async () => {
  const transitions = constant([9, 9, 9, 0, 0.1, 0, 9, 9]);
  for (const beamSize of [1, 2, 3]) {
    const { tokens } = await search(transitions, { beamSize }, { vocabularySize: 6 });
    assert(tokens.every((token) => token === 4 || token === 5), String(tokens));
  }
});

Deno.test("beamSearch() generates at least one token, even if the end is always likeliest", async () => {
  const transitions = constant([0, 0, 0, 20, 1, 2, 1, 1]);
  for (const beamSize of [1, 2, 8]) {
    const caption = await search(transitions, { beamSize });
    assertSame(caption, { tokens: [5], logProbability: logProbability([5], transitions) });
  }
});

Deno.test("beamSearch() ends captions of the maximum length, and counts their end however improbable", async () => {
  for (const end of [2, -50]) {
    const transitions = constant([0, 0, 0, end, 1, 3, 1, 1]);
    for (const beamSize of [1, 2]) {
      const caption = await search(transitions, { beamSize }, { maxLength: 1 });
      assertSame(caption, { tokens: [5], logProbability: logProbability([5], transitions) });
    }
  }
});

Deno.test("beamSearch() takes the best unfinished captions where none can end", async () => {
  const transitions = constant([0, 0, 0, -Infinity, 1, 3, 1, 1]);
  const row = transitions(0, START, 0);
  for (const beamSize of [1, 2]) {
    const caption = await search(transitions, { beamSize }, { maxLength: 3 });
    assertSame(caption, { tokens: [5, 5, 5], logProbability: 3 * (row[5] ?? NaN) });
  }
  assert.equal((await searchAll(transitions, { beamSize: 3, nBest: 2 })).length, 2);
});

Deno.test("beamSearch() generates at most maxLength tokens", async () => {
  for (let seed = 0; seed < 10; seed++) {
    for (const maxLength of [1, 2, 3]) {
      const { tokens } = await search(randomTransitions(seed), {}, { maxLength });
      assert(tokens.length >= 1 && tokens.length <= maxLength);
    }
  }
});

Deno.test("beamSearch() returns the summed log-probability of the tokens and of <end>", async () => {
  for (let seed = 0; seed < 10; seed++) {
    const transitions = randomTransitions(seed);
    const caption = await search(transitions, {}, { maxLength: 20 });
    assertSame(caption, { tokens: caption.tokens, logProbability: logProbability(caption.tokens, transitions) });
  }
});

Deno.test("beamSearch() requests no more tokens than it needs, and steps each hypothesis once", async () => {
  const { step, calls } = toyModel(randomTransitions(3), [0, 1]);
  await beamSearch(step, { ...searchOptions(), images: 2, beamSize: 2 });
  // Two of its beam, <pad>, <unk>, <start>, and <end>, which may not be the first.
  assert.deepEqual(calls[0], { rows: 2, tokens: [START, START], k: 6 });
  for (const { rows } of calls) assert(rows <= 6, `${rows} rows for two images, beams of 2 and greedy ones`);
});

Deno.test("withImagesFirst() feeds no token at the image's own step, then <start>", async () => {
  const { step, calls } = toyModel(randomTransitions(1), [0, 1]);
  const options = { ...searchOptions(), images: 2, beamSize: 3 };
  const first = await beamSearch(withImagesFirst(step, 2), options);
  assert.deepEqual(calls.slice(0, 2).map(({ rows, tokens }) => ({ rows, tokens })), [
    { rows: 2, tokens: null },
    { rows: 2, tokens: [START, START] },
  ]);
  assert(calls.slice(1).every(({ tokens }) => tokens !== null));
  assert.deepEqual(first, await beamSearch(toyModel(randomTransitions(1), [0, 1]).step, options));
});

Deno.test("beamSearch() refuses a model whose probabilities are NaN, in one line", async () => {
  const transitions: Transitions = () => new Array(WORDS).fill(NaN);
  await assert.rejects(search(transitions), (error) => {
    assert(error instanceof InputError);
    assert.equal(error.message, "Cannot write a caption: the model's probabilities are NaN; use another checkpoint");
    return true;
  });
});

Deno.test("beamSearch() refuses numbers that are out of range", async () => {
  const wrong: Partial<BeamSearchOptions>[] = [
    ...[0, -1, 1.5, NaN].map((beamSize) => ({ beamSize })),
    ...[0, 4, 1.5].map((nBest) => ({ nBest })),
    ...[-0.1, NaN, Infinity].map((lengthPenalty) => ({ lengthPenalty })),
  ];
  for (const options of wrong) await assert.rejects(search(randomTransitions(0), options), RangeError);
});

Deno.test(`beamSearch() as wide as all continuations of ${MOST} tokens expands each`, async () => {
  const { step, calls } = toyModel(constant(new Array(WORDS).fill(0)));
  await beamSearch(step, { ...searchOptions(), beamSize: ALL, nBest: ALL });
  assert.deepEqual(calls.map(({ rows }) => rows), [1, 4, 16, 64, 256]);
  assert.equal(END, 3);
});
