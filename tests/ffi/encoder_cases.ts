// PyTorch's numbers of each encoder, and the tests that compare them.

import assert from "node:assert/strict";
import { Engine } from "../../src/ffi/engine.ts";
import { stagesOf } from "../../src/ffi/encoders.ts";
import golden from "../golden/encoders.json" with { type: "json" };
import type { PixelBatch } from "./batches.ts";
import { integers } from "./formula.ts";
import { assertClose, assertSummary, BOUND, norm, type Summary, tensorsOf } from "./golden_numbers.ts";
import { fillModel, goldenBatch, type GoldenCase, modelSettings } from "../support/golden_batch.ts";
import { logitsOf } from "../support/test_abi.ts";
import { nativeTest } from "../support/native_test_case.ts";

/** PyTorch's numbers of an encoder. */
export interface Entry {
  readonly case: GoldenCase & { readonly height: number; readonly width: number };
  readonly features: Summary;
  readonly logits: Summary;
  readonly rows: number;
  readonly columns: number;
  readonly heat: Summary;
  readonly training: readonly {
    readonly trainableFrom: string;
    readonly loss: number;
    readonly gradientNorm: number;
    readonly gradients: Readonly<Record<string, Summary>>;
    readonly buffers: Readonly<Record<string, Summary>>;
  }[];
}

/** All of them, by a name that begins with `small` or `full`. */
export const cases: Record<string, Entry> = golden.cases;
/** A step of training. */
export const STEP = { optimizer: "adamw", learningRate: 1e-3, encoderLearningRate: 1e-3 } as const;

/** The batch of tests/golden/encoders.py. */
export function batchOf(name: string, { case: settings }: Entry): PixelBatch {
  const { images: count, height, width } = settings;
  const pixels = Uint8Array.from(integers(`${name} pixels`, count * height * width * 3, 256));
  return { ...goldenBatch(name, settings), images: { count, height, width, pixels } };
}

/** The first image of a batch with its first caption. */
function firstOf({ images, inputs, inputsLength, targets, targetsLength }: PixelBatch): PixelBatch {
  const pixels = images.pixels.subarray(0, images.height * images.width * 3);
  return {
    images: { ...images, count: 1, pixels },
    imageOfRow: Int32Array.of(0),
    inputs: inputs.slice(0, inputsLength),
    inputsLength,
    targets: targets.slice(0, targetsLength),
    targetsLength,
  };
}

/** Compares features, feature map and training with PyTorch's. */
export function testEncoder(name: string, entry: Entry): void {
  const settings = modelSettings(entry.case);
  const { vocabularySize } = settings;

  nativeTest(`The encoder gives PyTorch's features and feature map: ${name}`, async () => {
    const batch = batchOf(name, entry);
    for (const [precision, bound] of [["fp64", BOUND], ["fp32", 1e-4]] as const) {
      using engine = await Engine.open(settings, { device: "cpu", precision, threads: 1, initialization: "zero" });
      await fillModel(engine, entry.case.model);
      const { values } = await engine.encode(batch.images);
      assertSummary(Float64Array.from(values), entry.features, Math.max(bound, 1e-6), `${precision} features`);
      const logits = await logitsOf(engine, batch, vocabularySize);
      assertSummary(logits, entry.logits, bound, `${precision} logits`);
      const { rows, columns, heat } = await engine.explain(firstOf(batch));
      assert.deepEqual([rows, columns], [entry.rows, entry.columns]);
      assertSummary(heat, entry.heat, bound, `${precision} heat`);
    }
  });

  for (const { trainableFrom, ...expected } of entry.training) {
    const stage = stagesOf(settings).find((each) => each === trainableFrom);
    assert(stage !== undefined);

    nativeTest(`The encoder trains as PyTorch's from ${stage} on: ${name}`, async () => {
      using engine = await Engine.open(settings, {
        device: "cpu",
        precision: "fp64",
        threads: 1,
        initialization: "zero",
      });
      await fillModel(engine, entry.case.model);
      const { loss, gradientNorm } = await engine.trainStep([batchOf(name, entry)], { ...STEP, trainableFrom: stage });
      assertClose(loss, expected.loss, BOUND * expected.loss, "loss");
      assertClose(gradientNorm, expected.gradientNorm, BOUND * expected.gradientNorm, "norm of all gradients");
      const gradients = await tensorsOf(engine, "gradient", "grad.");
      const buffers = await tensorsOf(engine, "buffer");
      if (name.startsWith("small")) {
        assert.deepEqual([...gradients.keys()].toSorted(), Object.keys(expected.gradients).toSorted());
        assert.deepEqual([...buffers.keys()].toSorted(), Object.keys(expected.buffers).toSorted());
      }
      for (const [tensor, summary] of Object.entries(expected.gradients)) {
        const values = gradients.get(tensor) ?? new Float64Array();
        if (summary.length > 0) assertSummary(values, summary, BOUND, `gradient of ${tensor}`);
        else assert(norm(values) < BOUND * gradientNorm, `gradient of ${tensor} is not 0`);
      }
      for (const [tensor, summary] of Object.entries(expected.buffers)) {
        assertSummary(buffers.get(tensor) ?? new Float64Array(), summary, BOUND, tensor);
      }
    });
  }
}
