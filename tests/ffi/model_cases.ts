// PyTorch's numbers of each LSTM, and the tests that compare them.

import assert from "node:assert/strict";
import { Engine, type TensorInfo } from "../../src/ffi/engine.ts";
import type { TrainStepOptions } from "../../src/ffi/settings.ts";
import golden from "../golden/model.json" with { type: "json" };
import { fillModel, goldenBatch, type GoldenCase, modelSettings } from "../support/golden_batch.ts";
import {
  assertClose,
  assertFingerprints,
  assertSummary,
  BOUND,
  changes,
  type Fingerprint,
  type Summary,
  tensorsOf,
} from "./golden_numbers.ts";
import { logitsOf } from "../support/test_abi.ts";
import { nativeTest } from "../support/native_test_case.ts";

interface Training {
  readonly settings: Omit<TrainStepOptions, "optimizer">;
  readonly steps: readonly { readonly loss: number; readonly gradientNorm: number }[];
  readonly gradients: Record<string, Summary>;
  readonly buffers: Record<string, Summary>;
  readonly after: Record<string, { parameter: Summary; exp_avg: Summary; exp_avg_sq: Summary }>;
  readonly change?: Record<string, Fingerprint>;
}

/** PyTorch's numbers of a model. */
export interface Entry {
  readonly case: GoldenCase;
  readonly logits: Summary;
  readonly evaluationLoss: number;
  readonly training: { readonly adam?: Training; readonly adamw?: Training };
}

/** All of them; `with ResNet-50` ends the names of those of full size. */
export const cases: Record<string, Entry> = golden.cases;

/** Compares every tensor of a kind with its golden summary. */
async function assertTensors(
  engine: Engine,
  kind: TensorInfo["kind"],
  prefix: string,
  expected: Record<string, Summary>,
) {
  const tensors = await tensorsOf(engine, kind, prefix);
  const names = [...tensors.keys()].filter((name) => !name.startsWith("step."));
  assert.deepEqual(names.toSorted(), Object.keys(expected).toSorted());
  for (const [name, summary] of Object.entries(expected)) {
    assertSummary(tensors.get(name) ?? new Float64Array(), summary, BOUND, `${prefix}${name}`);
  }
}

/** Compares logits, losses and training steps with PyTorch's. */
export function testModel(name: string, entry: Entry): void {
  const settings = modelSettings(entry.case);
  const batch = goldenBatch(name, entry.case);

  nativeTest(`Engine gives PyTorch's logits and loss: ${name}`, async () => {
    for (const [precision, bound] of [["fp64", BOUND], ["fp32", 1e-4]] as const) {
      using engine = await Engine.open(settings, { device: "cpu", precision });
      await fillModel(engine);
      const logits = await logitsOf(engine, batch, settings.vocabularySize);
      assertSummary(logits, entry.logits, bound, `${precision} logits`);
      const { loss } = await engine.evaluateStep(batch);
      assertClose(loss, entry.evaluationLoss, bound * entry.evaluationLoss, `${precision} loss`);
    }
  });

  for (const optimizer of ["adam", "adamw"] as const) {
    const training = entry.training[optimizer];
    if (training === undefined) continue;
    nativeTest(`Engine takes PyTorch's steps with ${optimizer}: ${name}`, async () => {
      using engine = await Engine.open(settings, { device: "cpu", precision: "fp64" });
      await fillModel(engine);
      const before = training.change && await tensorsOf(engine, "parameter");
      for (const [index, step] of training.steps.entries()) {
        const result = await engine.trainStep([batch], { optimizer, ...training.settings });
        assertClose(result.loss, step.loss, BOUND * step.loss, `loss of step ${index}`);
        assertClose(result.gradientNorm, step.gradientNorm, BOUND * step.gradientNorm, `gradient of step ${index}`);
        if (index > 0) continue;
        await assertTensors(engine, "gradient", "grad.", training.gradients);
        await assertTensors(engine, "buffer", "", training.buffers);
      }
      const after = (part: "parameter" | "exp_avg" | "exp_avg_sq") =>
        Object.fromEntries(Object.entries(training.after).map(([tensor, parts]) => [tensor, parts[part]]));
      await assertTensors(engine, "parameter", "", after("parameter"));
      if (before) {
        assertFingerprints(changes(before, await tensorsOf(engine, "parameter")), training.change ?? {});
      }
      const moments = Object.entries(after("exp_avg")).map(([tensor, summary]) => [`exp_avg.${tensor}`, summary]);
      const squares = Object.entries(after("exp_avg_sq")).map((
        [tensor, summary],
      ) => [`exp_avg_sq.${tensor}`, summary]);
      await assertTensors(engine, "optimizer", "adam.", Object.fromEntries([...moments, ...squares]));
    });
  }
}
