import assert from "node:assert/strict";
import { beamSearch } from "../../src/captioning/beam_search.ts";
import { withImagesFirst } from "../../src/captioning/hypotheses.ts";
import { ensembleStep } from "../../src/captioning/ensemble.ts";
import {
  ALL,
  assertSame,
  bruteForce,
  constant,
  randomTransitions,
  searchOptions,
  toyModel,
  type Transitions,
  WORDS,
} from "./toy_model.ts";

/** The logarithm of the mean of two models' probabilities. */
function meanOf(first: Transitions, second: Transitions): Transitions {
  return (...where) =>
    first(...where).map((value, token) => Math.log((Math.exp(value) + Math.exp(second(...where)[token] ?? NaN)) / 2));
}

function membersOf(...transitions: Transitions[]) {
  return transitions.map((each) => ({ step: toyModel(each).step, vocabularySize: WORDS }));
}

Deno.test("ensembleStep() finds the caption of the mean of the models' probabilities", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const [first, second] = [randomTransitions(seed), randomTransitions(seed + 100)];
    const [expected] = bruteForce(meanOf(first, second));
    const step = ensembleStep(membersOf(first, second));
    const [[caption] = []] = await beamSearch(step, { ...searchOptions(), beamSize: ALL });
    assertSame(caption, expected);
  }
});

Deno.test("ensembleStep() of one model gives the same captions as the model", async () => {
  for (let seed = 0; seed < 10; seed++) {
    const transitions = randomTransitions(seed);
    const options = { ...searchOptions(), beamSize: 3 };
    const [[alone] = []] = await beamSearch(toyModel(transitions).step, options);
    const [[caption] = []] = await beamSearch(ensembleStep(membersOf(transitions)), options);
    assertSame(caption, alone);
  }
});

Deno.test("ensembleStep() returns the k most probable tokens of each row, best first", async () => {
  const scores = [0.1, 0.05, 0.2, 0.25, 0.15, 0.12, 0.08, 0.05].map(Math.log);
  for (const k of [1, 3, WORDS]) {
    const step = ensembleStep(membersOf(constant(scores), constant(scores)));
    const next = await step(Int32Array.of(0, 0), Int32Array.of(2, 2), k);
    const order = [3, 2, 4, 5, 0, 6, 1, 7].slice(0, k);
    assert.deepEqual([...next.tokens], [...order, ...order]);
    for (const [place, token] of [...order, ...order].entries()) {
      assert(Math.abs((next.logProbabilities[place] ?? NaN) - (scores[token] ?? NaN)) < 1e-6);
    }
  }
});

Deno.test("ensembleStep() combines models that inject the image first and at every step, and output layers of different sizes", async () => {
  const transitions = randomTransitions(1);
  const every = toyModel(transitions, [0, 1]);
  const first = toyModel(transitions, [0, 1]);
  const step = ensembleStep([
    { step: every.step, vocabularySize: WORDS },
    { step: withImagesFirst(first.step, 2), vocabularySize: WORDS - 1 },
  ]);
  const options = {
    ...searchOptions({ vocabularySize: WORDS - 1 }),
    images: 2,
    beamSize: 2,
    vocabularySize: WORDS - 1,
  };
  const captions = await beamSearch(step, options);
  assert.equal(captions.length, 2);
  assert.equal(first.calls.length, every.calls.length + 1);
  assert.equal(first.calls[0]?.tokens, null);
});

Deno.test("ensembleStep() returns only tokens of all models, ties in index order", async () => {
  const step = ensembleStep([
    { step: toyModel(constant([0, 0, 0, 0, 0, 0, 0, 3])).step, vocabularySize: WORDS },
    { step: toyModel(constant([0, 0, 0, 0, 0, 0, 0, 3])).step, vocabularySize: WORDS - 1 },
  ]);
  for (const k of [3, WORDS - 1]) {
    const next = await step(Int32Array.of(0), Int32Array.of(2), k);
    // The likeliest token is beyond the second's vocabulary.
    assert.deepEqual([...next.tokens], [0, 1, 2, 3, 4, 5, 6].slice(0, k));
  }
});

Deno.test("ensembleStep() passes on NaN probabilities of a model", async () => {
  const step = ensembleStep(membersOf(randomTransitions(0), () => new Array(WORDS).fill(NaN)));
  await assert.rejects(beamSearch(step, { ...searchOptions(), beamSize: 2 }), /probabilities are NaN/);
});
