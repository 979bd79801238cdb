import assert from "node:assert/strict";
import fc from "fast-check";
import { beamSearch } from "../../src/captioning/beam_search.ts";
import type { ConstraintsOptions } from "../../src/captioning/constraints.ts";
import { sample } from "../../src/captioning/sample.ts";
import { InputError } from "../../src/input_error.ts";
import {
  A,
  ALL,
  assertSame,
  bruteForce,
  constraints,
  END,
  randomTransitions,
  satisfies,
  searchOptions,
  toyModel,
  WORDS,
} from "./toy_model.ts";

const [B, C, D] = [5, 6, 7];
const token = fc.integer({ min: A, max: WORDS - 1 });
const someWords = fc.uniqueArray(token, { maxLength: 3 });

/** Any constraints, whether a caption can satisfy them or not. */
const anyConstraints: fc.Arbitrary<Partial<ConstraintsOptions>> = fc.record({
  maxLength: fc.integer({ min: 1, max: 4 }),
  minLength: fc.integer({ min: 0, max: 4 }),
  never: fc.uniqueArray(token, { maxLength: 2 }),
  forced: someWords,
  prefix: fc.array(token, { maxLength: 3 }),
  noRepeatNgramSize: fc.integer({ min: 0, max: 3 }),
  badEndings: someWords,
  closers: fc.uniqueArray(token, { maxLength: 2 }),
}, { requiredKeys: [] });

const EACH: Record<string, Partial<ConstraintsOptions>> = {
  "a minimum length": { minLength: 3 },
  "an exact length": { minLength: 3, maxLength: 3 },
  "no word twice": { noRepeatNgramSize: 1 },
  "no two words twice": { noRepeatNgramSize: 2 },
  "no three words twice": { noRepeatNgramSize: 3 },
  "forbidden words": { never: [A, C] },
  "a forced word": { forced: [B] },
  "forced words that take all the room": { forced: [A, B, C, D] },
  "bad endings": { badEndings: [A, B] },
  "forced words that cannot end": { forced: [A, B], badEndings: [A, B], maxLength: 3 },
  "full stops after bad endings": { badEndings: [A], closers: [D] },
  "a prefix": { prefix: [C, A] },
  "a prefix of the maximum length": { prefix: [A, B, C, D] },
  "a prefix with a forbidden word": { prefix: [C], never: [C] },
  "a prefix that holds a forced word": { prefix: [C], forced: [C, D] },
  "all at once": { minLength: 2, noRepeatNgramSize: 2, never: [A], forced: [D], badEndings: [C], prefix: [B] },
};

for (const [name, change] of Object.entries(EACH)) {
  Deno.test(`A beam as wide as all continuations finds what brute force finds with ${name}`, async () => {
    for (let seed = 0; seed < 10; seed++) {
      const transitions = randomTransitions(seed);
      for (const lengthPenalty of [0, 1]) {
        const expected = bruteForce(transitions, change, lengthPenalty);
        const options = { ...searchOptions(change), beamSize: ALL, nBest: ALL, lengthPenalty };
        const [captions = []] = await beamSearch(toyModel(transitions).step, options);
        assert.equal(captions.length, expected.length);
        for (const [index, caption] of captions.entries()) assertSame(caption, expected[index]);
      }
    }
  });
}

Deno.test("A beam as wide as all continuations finds what brute force finds with any constraints, or fails if there is none", async () => {
  let found = 0;
  await fc.assert(
    fc.asyncProperty(anyConstraints, fc.nat(1000), async (change, seed) => {
      const transitions = randomTransitions(seed);
      const expected = bruteForce(transitions, change);
      const search = async () =>
        await beamSearch(toyModel(transitions).step, { ...searchOptions(change), beamSize: ALL, nBest: ALL });
      if (expected.length === 0) return await assert.rejects(search, InputError);
      found++;
      const [captions = []] = await search();
      assert.equal(captions.length, expected.length);
      for (const [index, caption] of captions.entries()) assertSame(caption, expected[index]);
    }),
    { seed: 1, numRuns: 400 },
  );
  assert(found > 100, `only ${found} could be met`);
});

Deno.test("Narrow beams and samples satisfy any satisfiable constraints without n-gram blocking", async () => {
  await fc.assert(
    fc.asyncProperty(anyConstraints, fc.nat(1000), fc.integer({ min: 1, max: 3 }), async (any, seed, beamSize) => {
      const { noRepeatNgramSize: _, ...change } = any;
      const transitions = randomTransitions(seed);
      if (bruteForce(transitions, change).length === 0) return assert.throws(() => constraints(change), InputError);
      const [captions = []] = await beamSearch(toyModel(transitions).step, { ...searchOptions(change), beamSize });
      const [sampled = []] = await sample(toyModel(transitions).step, { ...searchOptions(change), seed, samples: 5 });
      assert(captions.length > 0 && sampled.length === 5);
      for (const { tokens } of [...captions, ...sampled]) assert(satisfies(tokens, change), String(tokens));
    }),
    { seed: 2, numRuns: 400 },
  );
});

Deno.test("Constraints allow no repeated token up to the maximum length, if the vocabulary has enough", async () => {
  const change = { noRepeatNgramSize: 1, minLength: 4 };
  for (let seed = 0; seed < 30; seed++) {
    const [[caption] = []] = await beamSearch(toyModel(randomTransitions(seed)).step, {
      ...searchOptions(change),
      beamSize: 2,
    });
    assert.equal(new Set(caption?.tokens).size, 4);
  }
});

const IMPOSSIBLE: Record<string, [change: Partial<ConstraintsOptions>, message: RegExp]> = {
  "more words than fewer": [{ minLength: 4, maxLength: 3 }, /captions of at least 4 words cannot have at most 3$/],
  "no word": [{ maxLength: 0 }, /captions of at most 0 words would be empty; allow more$/],
  "every word forbidden": [
    { never: [A, B, C, D] },
    /no word is allowed any more; forbid fewer words$/,
  ],
  "words forced and forbidden": [
    { forced: [A], never: [A] },
    /a word is both forced and forbidden; remove one of them$/,
  ],
  "more forced words than fit": [{ forced: [A, B, C], maxLength: 2 }, /take more than 2 words; allow more words$/],
  "forced words and no room for an ending": [
    { forced: [A, B], badEndings: [A, B], maxLength: 2 },
    /beginning, forced words and an ending take more than 2 words; allow more words$/,
  ],
  "a prefix that is too long": [
    { prefix: [A, B, C], maxLength: 2 },
    /the beginning has 3 words, a caption at most 2; allow/,
  ],
};

for (const [what, [change, message]] of Object.entries(IMPOSSIBLE)) {
  Deno.test(`Constraints refuse ${what} in one line`, () => {
    assert.throws(() => constraints(change), (error) => {
      assert(error instanceof InputError);
      assert.match(error.message, /^Cannot write a caption: [^\n]+$/);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("beamSearch() fails in one line if the constraints leave no token", async () => {
  // Four words, none twice, cannot make five.
  const change = { noRepeatNgramSize: 1, minLength: 5, maxLength: 6 };
  await assert.rejects(beamSearch(toyModel(randomTransitions(0)).step, { ...searchOptions(change), beamSize: 3 }), {
    name: "InputError",
    message: "Cannot write a caption: none was found that satisfies all constraints; relax one, or use a larger beam",
  });
});

Deno.test("Constraints.after() returns the missing tokens, and how many are refused", () => {
  const rules = constraints({ forced: [A, B], maxLength: 4, noRepeatNgramSize: 1 });
  assert.deepEqual(rules.after([C]).missing, [A, B]);
  assert.deepEqual(rules.missing([C, B]), [A]);
  // <pad>, <unk>, <start>, the end, and C again.
  assert.equal(rules.after([C]).refusals, 5);
  const tight = rules.after([C, D]);
  assert.deepEqual([A, B, C, D, END].filter(tight.permits), [A, B]);
  assert.equal(tight.refusals, Infinity);
});
