import assert from "node:assert/strict";
import { Engine, type TensorInfo } from "../../src/ffi/engine.ts";
import type { OptimizerOptions } from "../../src/ffi/settings.ts";
import golden from "../golden/model.json" with { type: "json" };
import { fillModel, goldenBatch, type GoldenCase, modelSettings } from "./golden_batch.ts";
import { nativeTest } from "./native_test_case.ts";

// A summary is [2-norm, largest magnitude, three samples, and their indices where they are not evenly spread].
type Summary = readonly number[];

interface Training {
  readonly settings: Omit<OptimizerOptions, "optimizer">;
  readonly steps: readonly { readonly loss: number; readonly gradientNorm: number }[];
  readonly gradients: Record<string, Summary>;
  readonly buffers: Record<string, Summary>;
  readonly after: Record<string, { parameter: Summary; exp_avg: Summary; exp_avg_sq: Summary }>;
}

interface Entry {
  readonly case: GoldenCase;
  readonly logits: Summary;
  readonly evaluationLoss: number;
  readonly training: { readonly adam?: Training; readonly adamw?: Training };
}

const cases: Record<string, Entry> = golden.cases;

function assertClose(actual: number, expected: number, bound: number, what: string): void {
  assert(Math.abs(actual - expected) <= bound, `${what}: ${actual} is not within ${bound} of ${expected}`);
}

function assertSummary(values: Float64Array, summary: Summary, bound: number, what: string): void {
  const [norm = NaN, largest = NaN, ...rest] = summary;
  const spread = [0, 1, 2].map((i) => Math.floor(i * (values.length - 1) / 2));
  const indices = rest.length > 3 ? rest.slice(3) : spread;
  if (rest.length === 3) {
    assertClose(Math.hypot(...chunkNorms(values)), norm, bound * norm, `norm of ${what}`);
  }
  indices.forEach((index, i) =>
    assertClose(values[index] ?? NaN, rest[i] ?? NaN, bound * largest, `${what}[${index}]`)
  );
}

function chunkNorms(values: Float64Array): number[] {
  const norms = [];
  for (let start = 0; start < values.length; start += 4096) {
    norms.push(Math.hypot(...values.subarray(start, start + 4096)));
  }
  return norms;
}

async function numbers(engine: Engine, tensor: TensorInfo): Promise<Float64Array> {
  const { buffer } = await engine.read(tensor);
  if (tensor.dtype === "F64") return new Float64Array(buffer);
  if (tensor.dtype === "I64") return Float64Array.from(new BigInt64Array(buffer), Number);
  return Float64Array.from(new Float32Array(buffer));
}

/** Compares every tensor of a kind with its golden summary. */
async function assertTensors(
  engine: Engine,
  kind: TensorInfo["kind"],
  prefix: string,
  expected: Record<string, Summary>,
) {
  const tensors = (await engine.tensors()).filter((tensor) => tensor.kind === kind && tensor.name.startsWith(prefix));
  const names = tensors.map((tensor) => tensor.name.slice(prefix.length));
  assert.deepEqual(names.filter((name) => !name.startsWith("step.")).toSorted(), Object.keys(expected).toSorted());
  for (const tensor of tensors) {
    const summary = expected[tensor.name.slice(prefix.length)];
    if (summary !== undefined) assertSummary(await numbers(engine, tensor), summary, 1e-8, tensor.name);
  }
}

for (const [name, entry] of Object.entries(cases)) {
  const settings = modelSettings(entry.case);
  const batch = goldenBatch(name, entry.case);

  nativeTest(`Engine gives PyTorch's logits and loss: ${name}`, async () => {
    for (const [precision, bound] of [["fp64", 1e-8], ["fp32", 1e-4]] as const) {
      using engine = await Engine.open(settings, { device: "cpu", precision });
      await fillModel(engine);
      const logits = await engine.logits(batch, settings.vocabularySize);
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
      for (const [index, step] of training.steps.entries()) {
        const result = await engine.trainStep(batch, { optimizer, ...training.settings });
        assertClose(result.loss, step.loss, 1e-8 * step.loss, `loss of step ${index}`);
        assertClose(result.gradientNorm, step.gradientNorm, 1e-8 * step.gradientNorm, `gradient of step ${index}`);
        if (index > 0) continue;
        await assertTensors(engine, "gradient", "grad.", training.gradients);
        await assertTensors(engine, "buffer", "", training.buffers);
      }
      const after = (part: "parameter" | "exp_avg" | "exp_avg_sq") =>
        Object.fromEntries(Object.entries(training.after).map(([tensor, parts]) => [tensor, parts[part]]));
      await assertTensors(engine, "parameter", "", after("parameter"));
      const moments = Object.entries(after("exp_avg")).map(([tensor, summary]) => [`exp_avg.${tensor}`, summary]);
      const squares = Object.entries(after("exp_avg_sq")).map((
        [tensor, summary],
      ) => [`exp_avg_sq.${tensor}`, summary]);
      await assertTensors(engine, "optimizer", "adam.", Object.fromEntries([...moments, ...squares]));
    });
  }
}
