import assert from "node:assert/strict";
import { beamSearch } from "../../src/captioning/beam_search.ts";
import { diverseBeamSearch, type DiverseBeamSearchOptions } from "../../src/captioning/diverse_beam_search.ts";
import {
  A,
  END,
  MOST,
  randomTransitions,
  satisfies,
  searchOptions,
  START,
  toyModel,
  type Transitions,
} from "./toy_model.ts";

async function search(
  transitions: Transitions,
  options: Pick<DiverseBeamSearchOptions, "beamSize" | "numBeamGroups">,
  images = [0],
) {
  const found = await diverseBeamSearch(toyModel(transitions, images).step, {
    ...searchOptions(),
    images: images.length,
    ...options,
  });
  return found;
}

/** Groups of one caption each, one after the other, token by token, as in the paper. */
function groupsOfOne(transitions: Transitions, numBeamGroups: number, diversityPenalty: number): number[][] {
  const captions: { tokens: number[]; ended: boolean }[] = Array.from(
    { length: numBeamGroups },
    () => ({ tokens: [], ended: false }),
  );
  for (let position = 0; position < MOST; position++) {
    const chosen: number[] = [];
    for (const caption of captions) {
      if (caption.ended) continue;
      const values = transitions(0, caption.tokens.at(-1) ?? START, position).map((value, token) => ({
        token,
        value: value - (token === END ? 0 : diversityPenalty * chosen.filter((other) => other === token).length),
      }));
      const [best] = values.filter(({ token }) => token >= A || (token === END && position > 0)).sort((a, b) =>
        b.value - a.value
      );
      if (best === undefined || best.token === END) caption.ended = true;
      else {
        caption.tokens.push(best.token);
        chosen.push(best.token);
      }
    }
  }
  return captions.map(({ tokens }) => tokens);
}

Deno.test("diverseBeamSearch() with groups of one caption gives the captions of the method's definition", async () => {
  for (let seed = 0; seed < 60; seed++) {
    const transitions = randomTransitions(seed);
    for (const diversityPenalty of [0.2, 0.5, 3]) {
      const expected = new Set(groupsOfOne(transitions, 3, diversityPenalty).map((tokens) => tokens.join(" ")));
      const [found = []] = await diverseBeamSearch(toyModel(transitions).step, {
        ...searchOptions(),
        beamSize: 3,
        numBeamGroups: 3,
        diversityPenalty,
      });
      assert.deepEqual(
        new Set(found.map(({ tokens }) => tokens.join(" "))),
        expected,
        `seed ${seed}, ${diversityPenalty}`,
      );
    }
  }
});

Deno.test("diverseBeamSearch() with one group is beam search", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const transitions = randomTransitions(seed);
    for (const lengthPenalty of [0, 1]) {
      const options = { ...searchOptions(), beamSize: 4, nBest: 4, lengthPenalty };
      assert.deepEqual(
        await diverseBeamSearch(toyModel(transitions).step, { ...options, numBeamGroups: 1 }),
        await beamSearch(toyModel(transitions).step, options),
      );
    }
  }
});

Deno.test("diverseBeamSearch() finds beam search's best caption in its first group", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const transitions = randomTransitions(seed);
    const [[best] = []] = await beamSearch(toyModel(transitions).step, { ...searchOptions(), beamSize: 2 });
    const [captions = []] = await search(transitions, { beamSize: 6, numBeamGroups: 3 });
    assert(captions.some(({ tokens }) => tokens.join(" ") === best?.tokens.join(" ")));
  }
});

Deno.test("diverseBeamSearch() begins the captions of each group differently under a large penalty", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const [found = []] = await diverseBeamSearch(toyModel(randomTransitions(seed)).step, {
      ...searchOptions(),
      beamSize: 4,
      numBeamGroups: 4,
      diversityPenalty: 1000,
    });
    assert.equal(new Set(found.map(({ tokens }) => tokens[0])).size, 4);
    const values = found.map(({ logProbability }) => logProbability);
    assert.deepEqual(values, values.toSorted((a, b) => b - a), "best first");
  }
});

Deno.test("diverseBeamSearch() returns up to nBest captions without duplicates, the groups' best ones first", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const transitions = randomTransitions(seed);
    const options = { ...searchOptions(), beamSize: 6, numBeamGroups: 3, diversityPenalty: 0 };
    const [all = []] = await diverseBeamSearch(toyModel(transitions).step, { ...options, nBest: 6 });
    assert.equal(new Set(all.map(({ tokens }) => tokens.join(" "))).size, all.length);
    assert(all.every(({ tokens }) => satisfies(tokens, {})));
    // Without a penalty the groups find the same two captions.
    assert.equal(all.length, 2);
    for (const nBest of [1, 2]) {
      const [some = []] = await diverseBeamSearch(toyModel(transitions).step, { ...options, nBest });
      assert.deepEqual(some, all.slice(0, nBest));
    }
  }
});

Deno.test("diverseBeamSearch() returns the same captions for an image alone and in a batch", async () => {
  const images = [3, 1, 0, 2];
  for (let seed = 0; seed < 10; seed++) {
    const transitions = randomTransitions(seed);
    const together = await search(transitions, { beamSize: 4, numBeamGroups: 2 }, images);
    for (const [index, image] of images.entries()) {
      assert.deepEqual([together[index]], await search(transitions, { beamSize: 4, numBeamGroups: 2 }, [image]));
    }
  }
});

Deno.test("diverseBeamSearch() refuses numbers that are out of range", async () => {
  for (
    const wrong of [
      { numBeamGroups: 2 },
      { numBeamGroups: 0 },
      { diversityPenalty: -1 },
      { nBest: 4 },
      { beamSize: 0 },
      {
        lengthPenalty: NaN,
      },
    ]
  ) {
    const options = { ...searchOptions(), beamSize: 3, numBeamGroups: 3, ...wrong };
    await assert.rejects(diverseBeamSearch(toyModel(randomTransitions(0)).step, options), RangeError);
  }
});
