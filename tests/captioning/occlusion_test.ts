import assert from "node:assert/strict";
import type { Images } from "../../src/ffi/batch.ts";
import { Engine } from "../../src/ffi/engine.ts";
import { collateMasked } from "../../src/ffi/collate.ts";
import { Random } from "../../src/random.ts";
import { TINY_MODEL } from "../support/native.ts";
import { nativeTest } from "../support/native_test_case.ts";

const CELL = 32;
const CELLS = 3;
const SIDE = CELL * CELLS;
const GRAY = 124;
const [START, END, FIRST_COLOR] = [2, 3, 4];
const COLORS = [[230, 30, 30], [30, 200, 30], [30, 30, 230]] as const;

/** A colored square on gray, and the token of its color. */
interface Scene {
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly token: number;
}

function paint(pixels: Uint8Array, color: readonly number[], top: number, left: number): void {
  for (let y = top; y < top + CELL; y++) {
    for (let x = left; x < left + CELL; x++) pixels.set(color, (y * SIDE + x) * 3);
  }
}

/** A random scene; a kind beyond the colors is plain gray, which has a token too. */
function randomScene(random: Random, kinds: number): Scene {
  const pixels = new Uint8Array(SIDE * SIDE * 3).fill(GRAY);
  const kind = random.below(kinds);
  const [top, left] = [random.below(CELLS), random.below(CELLS)];
  const color = COLORS[kind];
  if (color !== undefined) paint(pixels, color, top * CELL, left * CELL);
  return { pixels, token: FIRST_COLOR + kind };
}

function imagesOf(scenes: readonly Pick<Scene, "pixels">[]): Images {
  const pixels = new Uint8Array(scenes.length * SIDE * SIDE * 3);
  for (const [index, scene] of scenes.entries()) pixels.set(scene.pixels, index * scene.pixels.length);
  return { count: scenes.length, height: SIDE, width: SIDE, pixels };
}

/** Trains a model to name the square's color. */
async function train(engine: Engine, random: Random): Promise<void> {
  for (let step = 0; step < 60; step++) {
    const scenes = Array.from({ length: 24 }, () => randomScene(random, COLORS.length + 1));
    const captions = scenes.map(({ token }) => [Int32Array.of(START, token, END)]);
    const learningRates = { learningRate: 5e-3, encoderLearningRate: 5e-3 };
    await engine.trainStep([collateMasked(imagesOf(scenes), captions)], { optimizer: "adam", ...learningRates });
  }
}

nativeTest("Engine.explain() is highest where hiding the image lowers a token's probability most", async () => {
  using engine = await Engine.open({ ...TINY_MODEL, vocabularySize: 8 }, {
    device: "cpu",
    precision: "fp32",
    threads: 1,
    seed: 1,
  });
  const random = new Random(5);
  await train(engine, random);
  const losses = { warmest: 0, coldest: 0 };
  let agreeing = 0;
  const count = 24;
  for (let index = 0; index < count; index++) {
    const { pixels, token } = randomScene(random, COLORS.length);
    const explain = async (covered: Uint8Array<ArrayBuffer>) => {
      const images = imagesOf([{ pixels: covered }]);
      const { heat, probabilities } = await engine.explain({
        ...collateMasked(images, [[Int32Array.of(START, token)]]),
        images,
      });
      return { heat, score: Math.log(probabilities[0] ?? NaN) };
    };
    const { heat, score } = await explain(pixels);
    const lossAt = async (cell: number) => {
      const covered = pixels.slice();
      paint(covered, [GRAY, GRAY, GRAY], Math.floor(cell / CELLS) * CELL, cell % CELLS * CELL);
      return score - (await explain(covered)).score;
    };
    const warmest = await lossAt(heat.indexOf(Math.max(...heat)));
    const coldest = await lossAt(heat.indexOf(Math.min(...heat)));
    losses.warmest += warmest / count;
    losses.coldest += coldest / count;
    if (warmest > coldest) agreeing++;
  }
  assert(losses.warmest > 1 && losses.warmest > 4 * losses.coldest, JSON.stringify(losses));
  assert(agreeing >= count * 2 / 3, `in ${agreeing} of ${count} scenes`);
});
