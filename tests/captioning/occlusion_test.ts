import assert from "node:assert/strict";
import type { Images } from "../../src/ffi/batch.ts";
import { Engine } from "../../src/ffi/engine.ts";
import { collateLrcn } from "../../src/ffi/collate.ts";
import { Random } from "../../src/random.ts";
import { TINY_MODEL } from "../support/native.ts";
import { nativeTest } from "../support/native_test_case.ts";

const PLACE = 32;
const PLACES = 3;
const SIDE = PLACE * PLACES;
const PAPER = 124;
const [START, END, FIRST_COLOR] = [2, 3, 4];
const COLORS = [[230, 30, 30], [30, 200, 30], [30, 30, 230]] as const;

/** A picture of one colored square on gray, and the word for its color. */
interface Picture {
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly word: number;
}

function paint(pixels: Uint8Array, color: readonly number[], top: number, left: number): void {
  for (let y = top; y < top + PLACE; y++) {
    for (let x = left; x < left + PLACE; x++) pixels.set(color, (y * SIDE + x) * 3);
  }
}

/** Draws a picture; of `kinds`, what is beyond the colors is gray alone, which has a word too. */
function draw(random: Random, kinds: number): Picture {
  const pixels = new Uint8Array(SIDE * SIDE * 3).fill(PAPER);
  const kind = random.below(kinds);
  const [top, left] = [random.below(PLACES), random.below(PLACES)];
  const color = COLORS[kind];
  if (color !== undefined) paint(pixels, color, top * PLACE, left * PLACE);
  return { pixels, word: FIRST_COLOR + kind };
}

function imagesOf(pictures: readonly Pick<Picture, "pixels">[]): Images {
  const pixels = new Uint8Array(pictures.length * SIDE * SIDE * 3);
  for (const [index, picture] of pictures.entries()) pixels.set(picture.pixels, index * picture.pixels.length);
  return { count: pictures.length, height: SIDE, width: SIDE, pixels };
}

/** Teaches a model to name the square's color. */
async function learn(engine: Engine, random: Random): Promise<void> {
  for (let step = 0; step < 60; step++) {
    const pictures = Array.from({ length: 24 }, () => draw(random, COLORS.length + 1));
    const captions = pictures.map(({ word }) => [Int32Array.of(START, word, END)]);
    const rates = { learningRate: 5e-3, encoderLearningRate: 5e-3 };
    await engine.trainStep([collateLrcn(imagesOf(pictures), captions)], { optimizer: "adam", ...rates });
  }
}

nativeTest("Engine.explain() is warmest where a patch of gray costs a word most", async () => {
  using engine = await Engine.open({ ...TINY_MODEL, vocabularySize: 8 }, {
    ...{ device: "cpu", precision: "fp32", threads: 1, seed: 1 },
  });
  const random = new Random(5);
  await learn(engine, random);
  const losses = { warmest: 0, coldest: 0 };
  let agreeing = 0;
  const count = 24;
  for (let index = 0; index < count; index++) {
    const { pixels, word } = draw(random, COLORS.length);
    const explain = async (seen: Uint8Array<ArrayBuffer>) => {
      const images = imagesOf([{ pixels: seen }]);
      const { heat, probabilities } = await engine.explain({
        ...collateLrcn(images, [[Int32Array.of(START, word)]]),
        images,
      });
      return { heat, score: Math.log(probabilities[0] ?? NaN) };
    };
    const { heat, score } = await explain(pixels);
    const lossAt = async (place: number) => {
      const covered = pixels.slice();
      paint(covered, [PAPER, PAPER, PAPER], Math.floor(place / PLACES) * PLACE, place % PLACES * PLACE);
      return score - (await explain(covered)).score;
    };
    const warmest = await lossAt(heat.indexOf(Math.max(...heat)));
    const coldest = await lossAt(heat.indexOf(Math.min(...heat)));
    losses.warmest += warmest / count;
    losses.coldest += coldest / count;
    if (warmest > coldest) agreeing++;
  }
  assert(losses.warmest > 1 && losses.warmest > 4 * losses.coldest, JSON.stringify(losses));
  assert(agreeing >= count * 2 / 3, `in ${agreeing} of ${count} pictures`);
});
