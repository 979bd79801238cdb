/**
 * The losses of the sample recipe's first steps in bfloat16 beside those in float32, from the same weights and batches.
 * Exit code 1 if the mean of the last ten of them differs by 2% or more, or if the processor has no bfloat16 arithmetic.
 *
 *     deno run --allow-ffi=native/build/liblrcn.so --allow-read bench/precision.ts
 *
 * @module
 */

import process from "node:process";
import { SINGLE_PROCESS } from "../src/distributed/process_group.ts";
import { Engine } from "../src/ffi/engine.ts";
import { buildInfo, loadLibrary } from "../src/ffi/library.ts";
import { makeRecipe } from "../src/pipeline/recipe.ts";
import { checkpointMetadata, modelSettings } from "../src/pipeline/run_model.ts";
import { renderSample } from "../src/sample/sample_source.ts";
import { train } from "../src/pipeline/train.ts";
import { prepareTrainingData } from "../src/pipeline/training_data.ts";

const STEPS = 50;
const LAST = 10;
const MOST = 0.02;

if (!buildInfo(loadLibrary()).bf16) {
  console.error("error: Cannot compare bfloat16 with float32: this processor has no bfloat16 arithmetic");
  Deno.exit(1);
}
const seed = 1;
const recipe = makeRecipe("sample");
const source = await renderSample(seed);
const data = prepareTrainingData(source.dataset, recipe, seed);
const model = modelSettings(recipe, data.vocabulary.size);
const metadata = checkpointMetadata(source.dataset, recipe, data, { model, seed });

/** The losses of the first steps. */
async function lossesIn(precision: "fp32" | "bf16"): Promise<number[]> {
  using engine = await Engine.open(model, { device: "cpu", precision, seed, initialization: "zero-padding" });
  const stop = new AbortController();
  const reporter = { note() {}, warn() {}, progress() {}, step() {}, epoch() {} };
  using images = await source.openImages({ engine, recipe, reporter, signal: stop.signal });
  const losses: number[] = [];
  const measured = {
    async trainStep(...[batches, options]: Parameters<Engine["trainStep"]>) {
      const result = await engine.trainStep(batches, options);
      losses.push(result.loss);
      if (losses.length === STEPS) stop.abort();
      return result;
    },
    queueStep: engine.queueStep.bind(engine),
    stepResults: engine.stepResults.bind(engine),
    tryTrainStep: engine.tryTrainStep.bind(engine),
    encode: engine.encode.bind(engine),
    evaluateStep: engine.evaluateStep.bind(engine),
    startDecoding: engine.startDecoding.bind(engine),
    resizeCrop: engine.resizeCrop.bind(engine),
    tensors: engine.tensors.bind(engine),
    read: engine.read.bind(engine),
    write: engine.write.bind(engine),
  };
  const { vocabulary, splits } = data;
  const context = {
    engine: measured,
    recipe,
    images,
    seed,
    metadata,
    vocabulary,
    splits,
    pretrained: false,
    group: SINGLE_PROCESS,
  };
  const checkpoints = { isDue: () => false, saveProgress: () => Promise.resolve(), saveEpoch: () => Promise.resolve() };
  await train(context, { checkpoints, onStep() {}, signal: stop.signal });
  return losses;
}

const [fp32, bf16] = [await lossesIn("fp32"), await lossesIn("bf16")];
const mean = (losses: readonly number[]) => losses.slice(-LAST).reduce((sum, loss) => sum + loss, 0) / LAST;
const difference = mean(bf16) / mean(fp32) - 1;
for (const step of [1, 10, 20, 30, 40, 50]) {
  console.log(`step ${step}: fp32 ${fp32[step - 1]?.toFixed(4)}, bf16 ${bf16[step - 1]?.toFixed(4)}`);
}
console.log(
  `mean of steps ${STEPS - LAST + 1} to ${STEPS}: ${mean(fp32).toFixed(4)} and ${mean(bf16).toFixed(4)}, ` +
    `${(100 * difference).toFixed(2)}%`,
);
process.exitCode = Math.abs(difference) < MOST ? 0 : 1;
