/**
 * One process of several that train together: trains a golden model on its part of each batch, and prints what came of it
 * as a line of JSON.
 *
 * @module
 */

import { Engine } from "../../src/ffi/engine.ts";
import { Group } from "../../src/ffi/group.ts";
import golden from "../golden/model.json" with { type: "json" };
import { microBatches } from "./batches.ts";
import { readNumbers } from "./engine_state.ts";
import { fillModel, goldenBatch, modelSettings } from "./golden_batch.ts";
import type { RankReport, RankTask } from "./start_ranks.ts";

const task: RankTask = JSON.parse(Deno.args[0] ?? "");
const { place, caseName, options, accumulate, steps, timeout, killed } = task;
const settings = golden.cases[caseName].case;
const whole = microBatches(goldenBatch(caseName, { ...settings, images: task.images }), accumulate);
const parts = whole.map((part) => microBatches(part, place?.size ?? 1)[place?.rank ?? 0] ?? part);
using engine = await Engine.open(modelSettings(settings), { device: "cpu", precision: "fp64", threads: 1 });
await fillModel(engine);
using group = place && await Group.join(place, { timeout });
if (group !== undefined) await engine.join(group);
const results = [];
for (let step = 0; step < steps; step++) {
  // The step is in another thread.
  if (killed !== undefined && killed === place?.rank && step === steps - 1) {
    setTimeout(() => Deno.kill(Deno.pid, "SIGKILL"), 2);
  }
  results.push(await engine.trainStep(parts, options));
}
const tensors = await engine.tensors();
const read = async (kind: string) => {
  const numbers: number[] = [];
  for (const tensor of tensors.filter((tensor) => tensor.kind === kind)) {
    numbers.push(...await readNumbers(engine, tensor.name));
  }
  return numbers;
};
const report: RankReport = {
  ...{ results, parameters: await read("parameter"), buffers: await read("buffer") },
  averaging: await engine.averaging(),
};
console.log(JSON.stringify(report));
