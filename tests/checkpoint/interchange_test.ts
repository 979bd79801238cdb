import assert from "node:assert/strict";
import { join } from "node:path";
import { loadModel } from "../../src/checkpoint/model_state.ts";
import { inferModel } from "../../src/checkpoint/model_shape.ts";
import { openWeights } from "../../src/checkpoint/weights_file.ts";
import { Engine } from "../../src/ffi/engine.ts";
import { goldenBatch, type GoldenCase, modelSettings } from "../ffi/golden_batch.ts";
import { nativeTest } from "../ffi/native_test_case.ts";
import { CASES, EXPORTED, exportFormulaModel, INTERCHANGE } from "../golden/interchange.ts";
import golden from "../golden/interchange.json" with { type: "json" };
import { NEEDS_FILES, temporaryFolder } from "./temporary_folder.ts";

const TOLERANCE = 1e-4;
const FILES = Object.entries(golden.cases).flatMap(([name, { files }]) =>
  Object.entries<number[]>(files).map(([file, logits]) => ({ name, file, logits }))
);

function caseOf(name: string): GoldenCase {
  const found = Object.entries(CASES).find(([key]) => key === name)?.[1];
  assert(found !== undefined);
  return found;
}

Deno.test("the golden models are those of the script", () => {
  for (const [name, { case: { model, ...shape } }] of Object.entries(golden.cases)) {
    const { image_step: _, ...dimensions } = model;
    assert.deepEqual({ ...shape, model: dimensions }, caseOf(name));
  }
});

for (const { name, file, logits } of FILES) {
  nativeTest(`${file} gives the logits that PyTorch gives for it, its dimensions read from its tensors`, async () => {
    using weights = await openWeights(join(INTERCHANGE, file));
    const model = inferModel(weights.tensors, { source: file });
    assert.deepEqual(model, modelSettings(caseOf(name)));
    using engine = await Engine.open(model, { device: "cpu", precision: "fp32", threads: 1 });
    await loadModel(engine, weights.tensors, { source: file });
    const found = await engine.logits(goldenBatch(name, caseOf(name)), model.vocabularySize);
    assert.equal(found.length, logits.length);
    for (const [index, value] of logits.entries()) {
      assert(Math.abs((found[index] ?? NaN) - value) < TOLERANCE, `logit ${index} is ${found[index]}, not ${value}`);
    }
  }, NEEDS_FILES);
}

async function digest(path: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path))).toHex();
}

for (const [file, name] of EXPORTED) {
  nativeTest(`exportModel() writes ${file} byte for byte as PyTorch has read it, and its words beside it`, async () => {
    assert(FILES.some((entry) => entry.file === file), "PyTorch has not read it");
    await using folder = await temporaryFolder();
    await exportFormulaModel(folder.path, file, name);
    for (const each of [file, `lrcn_${name}.vocab.json`]) {
      assert.equal(await digest(folder.file(each)), await digest(join(INTERCHANGE, each)), each);
    }
  }, NEEDS_FILES);
}
