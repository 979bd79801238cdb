// One rank of distributed training: trains a golden model on its part of each batch, and prints the results as JSON.

import type { Rendezvous } from "../../../src/ffi/rendezvous.ts";
import type { StepResult } from "../../../src/ffi/batch.ts";
import { Engine } from "../../../src/ffi/engine.ts";
import { Group } from "../../../src/ffi/group.ts";
import type { TrainStepOptions } from "../../../src/ffi/settings.ts";
import golden from "../../golden/model.json" with { type: "json" };
import { microBatches } from "../../ffi/batches.ts";
import { readNumbers } from "../../ffi/engine_state.ts";
import { fillModel, goldenBatch, modelSettings } from "../../support/golden_batch.ts";

/** The task of a process. */
export interface RankTask {
  /** Its rendezvous; none for a single process. */
  readonly rendezvous?: Rendezvous;
  /** The golden model. */
  readonly caseName: keyof typeof golden.cases;
  /** Images in a batch. */
  readonly images: number;
  readonly options: TrainStepOptions;
  /** Parts of a batch whose gradients are accumulated. */
  readonly gradientAccumulationSteps: number;
  /** Steps on the same batch. */
  readonly steps: number;
  /** Timeout in seconds. */
  readonly timeout: number;
  /** The rank that is killed in its last step. */
  readonly killed?: number;
}

/** The results of a process. */
export interface RankReport {
  readonly results: readonly StepResult[];
  readonly parameters: readonly number[];
  readonly buffers: readonly number[];
}

const task: RankTask = JSON.parse(Deno.args[0] ?? "");
const { rendezvous, caseName, options, gradientAccumulationSteps, steps, timeout, killed } = task;
const settings = golden.cases[caseName].case;
const whole = microBatches(goldenBatch(caseName, { ...settings, images: task.images }), gradientAccumulationSteps);
const parts = whole.map((part) => microBatches(part, rendezvous?.worldSize ?? 1)[rendezvous?.rank ?? 0] ?? part);
using engine = await Engine.open(modelSettings(settings), { device: "cpu", precision: "fp64", threads: 1 });
await fillModel(engine);
using group = rendezvous && await Group.join(rendezvous, { timeout });
if (group !== undefined) await engine.join(group);
const results = [];
for (let step = 0; step < steps; step++) {
  // The step runs in another thread.
  if (killed !== undefined && killed === rendezvous?.rank && step === steps - 1) {
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
const report: RankReport = { results, parameters: await read("parameter"), buffers: await read("buffer") };
console.log(JSON.stringify(report));
