/**
 * A thousand training steps of ResNet-50 with captions of changing lengths: memory at every hundredth. Exit code 1
 * if it grows by more than 1% after the first two hundred. With --smoke it takes ten steps of a small model, and memory may grow.
 *
 *     deno run --allow-ffi=native/build/liblrcn.so --allow-read bench/steady_state.ts
 *
 * @module
 */

import process from "node:process";
import { Engine } from "../src/ffi/engine.ts";
import { collateMasked } from "../src/ffi/collate.ts";
import { Random } from "../src/random.ts";
import { makeRecipe } from "../src/pipeline/recipe.ts";
import { modelSettings } from "../src/pipeline/run_model.ts";
import { stepOptions } from "../src/pipeline/step_options.ts";
import { SMALL_MODEL } from "./smoke.ts";

const smoke = Deno.args.includes("--smoke");
const [STEPS, SETTLED, MOST] = smoke ? [10, 2, Infinity] : [1000, 200, 1.01];
const EVERY = STEPS / 10;
const [IMAGES, CAPTIONS, SIDE, WORDS] = [4, 5, 64, 3000];

const recipe = makeRecipe("lrcn", smoke ? SMALL_MODEL : {});
const random = new Random(1);
const memory: number[] = [];
{
  using engine = await Engine.open(modelSettings(recipe, WORDS), { device: "cpu", seed: 1 });
  const pixels = Uint8Array.from({ length: IMAGES * SIDE * SIDE * 3 }, () => random.below(256));
  for (let step = 1; step <= STEPS; step++) {
    const caption = () =>
      Int32Array.of(2, ...Array.from({ length: 3 + random.below(16) }, () => 4 + random.below(WORDS - 4)), 3);
    const captions = Array.from({ length: IMAGES }, () => Array.from({ length: CAPTIONS }, caption));
    const batch = collateMasked({ count: IMAGES, height: SIDE, width: SIDE, pixels }, captions);
    await engine.trainStep([batch], { ...stepOptions(recipe, 1), learningRate: 1e-4, encoderLearningRate: 1e-4 });
    if (step % EVERY !== 0) continue;
    const { held } = await engine.memory();
    memory.push(Deno.memoryUsage().rss);
    console.log(
      `step ${step}: ${(Deno.memoryUsage().rss / 1e6).toFixed(0)} MB, of which libtorch ${(held / 1e6).toFixed(0)} MB`,
    );
  }
}
const growth = Math.max(...memory.slice(SETTLED / EVERY)) / (memory[SETTLED / EVERY - 1] ?? NaN);
console.log(`grown by ${(100 * (growth - 1)).toFixed(2)}% after step ${SETTLED}`);
process.exitCode = growth <= MOST ? 0 : 1;
