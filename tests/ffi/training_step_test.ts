import assert from "node:assert/strict";
import type { Batch } from "../../src/ffi/batch.ts";
import { Engine } from "../../src/ffi/engine.ts";
import { STAGES } from "../../src/ffi/encoders.ts";
import type { TrainStepOptions } from "../../src/ffi/settings.ts";
import golden from "../golden/training_step.json" with { type: "json" };
import { microBatches, wordsOf } from "./batches.ts";
import { fillModel, goldenBatch, type GoldenCase, modelSettings } from "../support/golden_batch.ts";
import { assertClose, assertFingerprints, BOUND, changes, type Fingerprint, tensorsOf } from "./golden_numbers.ts";
import { nativeTest } from "../support/native_test_case.ts";

interface Entry {
  readonly batch: string;
  readonly case: GoldenCase;
  readonly settings: Omit<TrainStepOptions, "optimizer" | "trainableFrom" | "batchNorm"> & {
    readonly optimizer: string;
    readonly trainableFrom?: string;
    readonly batchNorm?: string;
    readonly rowWeights?: readonly number[];
  };
  readonly steps: readonly { readonly loss: number; readonly gradientNorm: number }[];
  readonly gradients: Record<string, Fingerprint>;
  readonly buffers?: Record<string, Fingerprint>;
  readonly change: Record<string, Fingerprint>;
}

const cases: Record<string, Entry> = golden.cases;

function stepOptions({ settings }: Entry): TrainStepOptions {
  const trainableFrom = STAGES["resnet-bottleneck"].find((stage) => stage === settings.trainableFrom) ?? "conv1";
  const optimizer = settings.optimizer === "adam" ? "adam" : "adamw";
  const batchNorm = settings.batchNorm === "frozen" ? "frozen" : "batch";
  return { ...settings, optimizer, batchNorm, trainableFrom };
}

/** Runs the golden steps on these batches and compares all golden values. */
async function assertSteps(entry: Entry, batches: readonly Batch[]): Promise<Map<string, Float64Array>> {
  using engine = await Engine.open(modelSettings(entry.case), { device: "cpu", precision: "fp64" });
  await fillModel(engine);
  const before = await tensorsOf(engine, "parameter");
  const buffersBefore = await tensorsOf(engine, "buffer");
  const options = stepOptions(entry);
  for (const [index, step] of entry.steps.entries()) {
    const result = await engine.trainStep(batches, options);
    assertClose(result.loss, step.loss, BOUND * step.loss, `loss of step ${index}`);
    assertClose(result.gradientNorm, step.gradientNorm, BOUND * step.gradientNorm, `gradient of step ${index}`);
    if (index > 0) continue;
    const gradients = await tensorsOf(engine, "gradient", "grad.");
    assert.deepEqual([...gradients.keys()].toSorted(), Object.keys(entry.gradients).toSorted());
    assertFingerprints(gradients, entry.gradients);
    if (entry.buffers) assertFingerprints(await tensorsOf(engine, "buffer"), entry.buffers);
  }
  const after = await tensorsOf(engine, "parameter");
  assertFingerprints(changes(before, after), entry.change);
  const moved = [...changes(buffersBefore, await tensorsOf(engine, "buffer"))]
    .filter(([, change]) => change.some((value) => value !== 0)).map(([name]) => name);
  const learning = options.trainableFrom === "layer3" ? /layer[34]/ : /./;
  const expected = options.batchNorm === "frozen"
    ? []
    : [...buffersBefore.keys()].filter((name) => learning.test(name));
  assert.deepEqual(moved, expected);
  return after;
}

for (const [name, entry] of Object.entries(cases)) {
  const { rowWeights } = entry.settings;
  const batch = {
    ...goldenBatch(entry.batch, entry.case),
    ...(rowWeights !== undefined && { rowWeights: Float32Array.from(rowWeights) }),
  };

  nativeTest(`Engine.trainStep() takes PyTorch's steps: ${name}`, async () => {
    await assertSteps(entry, [batch]);
  });

  if (!name.startsWith("many images")) continue;
  nativeTest(`Engine.trainStep() of 4 batches of 4 images takes PyTorch's steps on all 16: ${name}`, async () => {
    const parts = microBatches(batch, 4);
    assert(new Set(parts.map(wordsOf)).size > 1, "the batches count equally many words");
    const whole = await assertSteps(entry, [batch]);
    const added = await assertSteps(entry, parts);
    for (const [tensor, change] of changes(whole, added)) {
      assert(change.every((value) => Math.abs(value) < BOUND), tensor);
    }
  });
}
