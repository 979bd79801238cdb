import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { loadModel } from "../../src/checkpoint/model_state.ts";
import { inferModel } from "../../src/checkpoint/model_shape.ts";
import { openWeights } from "../../src/checkpoint/weights_file.ts";
import { Engine } from "../../src/ffi/engine.ts";
import { goldenBatch, type GoldenCase, modelSettings } from "../support/golden_batch.ts";
import { logitsOf } from "../support/test_abi.ts";
import { nativeTest } from "../support/native_test_case.ts";
import { type CaseName, CASES, EXPORTED, exportFormulaModel, INTERCHANGE, NAMES } from "../golden/interchange.ts";
import golden from "../golden/interchange.json" with { type: "json" };
import { testData } from "../support/test_data.ts";
import { pythonHasTorch, runPython } from "./python.ts";
import { NEEDS_FILES, temporaryFolder } from "../support/checkpoint_folder.ts";

const TOLERANCE = 1e-4;
const FILES = Object.entries(golden.cases).flatMap(([name, { files }]) =>
  Object.entries<number[]>(files).map(([file, logits]) => ({ name, file, logits }))
);

/** The folder of PyTorch's own classes of the models, beside the test data. */
const REFERENCE = testData === undefined ? undefined : await folderAt(join(dirname(testData), "reference"));

async function folderAt(path: string): Promise<string | undefined> {
  const info = await Deno.stat(path).catch(() => undefined);
  return info?.isDirectory ? path : undefined;
}

function caseOf(name: string): GoldenCase {
  const found = Object.entries(CASES).find(([key]) => key === name)?.[1];
  assert(found !== undefined);
  return found;
}

/** Holds the logits of a file's model for the golden batch against others. */
async function checkLogits(path: string, { name, logits }: { readonly name: string; logits: readonly number[] }) {
  using weights = await openWeights(path);
  const model = inferModel(weights.tensors, { source: path });
  assert.deepEqual(model, modelSettings(caseOf(name)));
  using engine = await Engine.open(model, { device: "cpu", precision: "fp32", threads: 1 });
  await loadModel(engine, weights.tensors, { source: path });
  checkClose(await logitsOf(engine, goldenBatch(name, caseOf(name)), model.vocabularySize), logits, TOLERANCE);
}

function checkClose(found: ArrayLike<number>, expected: readonly number[], tolerance: number): void {
  assert.equal(found.length, expected.length);
  for (const [index, value] of expected.entries()) {
    const other = found[index] ?? NaN;
    assert(Math.abs(other - value) < tolerance, `logit ${index} is ${other}, not ${value}`);
  }
}

Deno.test("the golden models are those of the script", () => {
  assert.deepEqual(Object.keys(golden.cases), [...NAMES]);
  for (const [name, { case: { model, ...shape } }] of Object.entries(golden.cases)) {
    const { image_step: _, ...dimensions } = model;
    assert.deepEqual({ ...shape, model: dimensions }, caseOf(name));
  }
});

for (const { name, file, logits } of FILES) {
  nativeTest(`${file} gives the logits that PyTorch gives for it, its dimensions read from its tensors`, async () => {
    await checkLogits(join(INTERCHANGE, file), { name, logits });
  }, NEEDS_FILES);
}

async function digest(path: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path))).toHex();
}

for (const [file, name] of EXPORTED) {
  nativeTest(
    `exportModel() writes ${file} byte for byte as read by PyTorch, and its vocabulary beside it`,
    async () => {
      assert(FILES.some((entry) => entry.file === file), "PyTorch has not read it");
      await using folder = await temporaryFolder();
      await exportFormulaModel(folder.path, file, name);
      for (const each of [file, `lrcn_${name}.vocab.json`]) {
        assert.equal(await digest(folder.file(each)), await digest(join(INTERCHANGE, each)), each);
      }
    },
    NEEDS_FILES,
  );
}

/** The input of `interchange.py check` for a case. */
function checkedCase(name: CaseName) {
  const { images, inputs } = goldenBatch(name, CASES[name]);
  return { case: CASES[name], pixels: [...images.pixels], inputs: [...inputs] };
}

nativeTest(
  "PyTorch's own classes load exported models, and models they save are read, with equal logits",
  async () => {
    await using folder = await temporaryFolder();
    for (const name of NAMES) await exportFormulaModel(folder.path, `lrcn_${name}.pth`, name);
    const cases = Object.fromEntries(NAMES.map((name) => [name, checkedCase(name)]));
    await Deno.writeTextFile(folder.file("cases.json"), JSON.stringify(cases));
    const script = new URL("../golden/interchange.py", import.meta.url).pathname;
    const { success, stdout, stderr } = await runPython([script, "check", `${REFERENCE}`, folder.path]);
    assert(success, new TextDecoder().decode(stderr));
    const found: Record<string, number[]> = JSON.parse(new TextDecoder().decode(stdout));
    for (const name of NAMES) {
      const file = `lrcn_${name}.pth`;
      const expected = FILES.find((entry) => entry.file === file)?.logits ?? [];
      checkClose(found[file] ?? [], expected, 1e-6);
      for (const saved of [`reference_${name}.pth`, `reference_${name}_legacy.pth`]) {
        await checkLogits(folder.file(saved), { name, logits: found[saved] ?? [] });
      }
    }
  },
  { ignore: NEEDS_FILES.ignore || REFERENCE === undefined || !await pythonHasTorch() },
);
