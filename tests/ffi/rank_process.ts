/**
 * One process of several that train together: trains a golden model on its part of each batch, and prints what came of it
 * as a line of JSON.
 *
 * @module
 */

import type { Rendezvous } from "../../src/ffi/rendezvous.ts";
import type { StepResult } from "../../src/ffi/batch.ts";
import { type Averaging, Engine } from "../../src/ffi/engine.ts";
import { Group } from "../../src/ffi/group.ts";
import type { TrainStepOptions } from "../../src/ffi/settings.ts";
import golden from "../golden/model.json" with { type: "json" };
import { microBatches } from "./batches.ts";
import { readNumbers } from "./engine_state.ts";
import { fillModel, goldenBatch, modelSettings } from "../support/golden_batch.ts";

/** What a process is told. */
export interface RankTask {
  /** Its place; none for one by itself. */
  readonly place?: Rendezvous;
  /** The golden model. */
  readonly caseName: keyof typeof golden.cases;
  /** Images of a batch. */
  readonly images: number;
  /** How its steps learn. */
  readonly options: TrainStepOptions;
  /** Parts that a batch is divided into, whose gradients are added up. */
  readonly gradientAccumulationSteps: number;
  /** Steps on the same batch. */
  readonly steps: number;
  /** Seconds that others are waited for. */
  readonly timeout: number;
  /** The rank that is killed in its last step. */
  readonly killed?: number;
}

/** What came of it. */
export interface RankReport {
  /** Each step's numbers. */
  readonly results: readonly StepResult[];
  /** The model's parameters. */
  readonly parameters: readonly number[];
  /** Its buffers. */
  readonly buffers: readonly number[];
  /** How long gradients were averaged in the last step. */
  readonly averaging: Averaging;
}

const task: RankTask = JSON.parse(Deno.args[0] ?? "");
const { place, caseName, options, gradientAccumulationSteps, steps, timeout, killed } = task;
const settings = golden.cases[caseName].case;
const whole = microBatches(goldenBatch(caseName, { ...settings, images: task.images }), gradientAccumulationSteps);
const parts = whole.map((part) => microBatches(part, place?.worldSize ?? 1)[place?.rank ?? 0] ?? part);
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
