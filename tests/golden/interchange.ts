/**
 * The files that tests/golden/interchange.py reads: models with weights of the formula, exported. Run by itself, it writes
 * them into tests/golden/interchange/.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { saveCheckpoint } from "../../src/checkpoint/checkpoint.ts";
import { exportModel } from "../../src/checkpoint/export_model.ts";
import { modelTensors } from "../../src/checkpoint/model_state.ts";
import { Engine } from "../../src/ffi/engine.ts";
import { fillModel, type GoldenCase, modelSettings } from "../ffi/golden_batch.ts";

/** Where the golden files are. */
export const INTERCHANGE: string = fileURLToPath(new URL("interchange/", import.meta.url));

const SMALL = { vocabulary: 11, embed: 4, hidden: 5, width: 1, blocks: [1, 1, 1, 1] };
const SHAPE = { images: 2, captionsPerImage: 1, side: 32 };

/** The models, as the script has them. */
export const CASES: Readonly<Record<"notebook" | "1u_every" | "2f_first", GoldenCase>> = {
  notebook: { ...SHAPE, loss: "notebook", model: { ...SMALL, language: 0, fusion: 1, inject: "first" } },
  "1u_every": { ...SHAPE, loss: "masked", model: { ...SMALL, language: 0, fusion: 1, inject: "every" } },
  "2f_first": { ...SHAPE, loss: "masked", model: { ...SMALL, language: 1, fusion: 1, inject: "first" } },
};

/** The files that are exported: formats and models. */
export const EXPORTED: readonly [file: string, name: keyof typeof CASES][] = [
  ["lrcn_notebook.pth", "notebook"],
  ["lrcn_1u_every.pth", "1u_every"],
  ["lrcn_2f_first.pth", "2f_first"],
  ["lrcn_2f_first.safetensors", "2f_first"],
];

/**
 * Saves a model of the formula as a checkpoint.
 *
 * @param path Where it shall be.
 * @param name Which model.
 */
export async function saveFormulaCheckpoint(path: string, name: keyof typeof CASES): Promise<void> {
  const model = modelSettings(CASES[name]);
  const isNotebook = name === "notebook";
  const specials = ["<pad>", "<unk>", ...(isNotebook ? [] : ["<start>", "<end>"])];
  using engine = await Engine.open(model, { device: "cpu", precision: "fp32", threads: 1 });
  await fillModel(engine);
  await saveCheckpoint(path, {
    metadata: {
      recipe: isNotebook ? "notebook" : "lrcn",
      model,
      preprocessing: { imageSize: 32, shortSide: 37 },
      // The notebook's layer is larger than its vocabulary.
      vocabulary: [...specials, "a", "red", "kite", "dog", "."],
      decoding: { ...(isNotebook ? { firstWord: "a" } : {}), maxWords: 6, beam: 3 },
      datasetFingerprint: "0123456789abcdef",
      epoch: 1,
      metrics: {},
    },
    tensors: await modelTensors(engine, ["parameter", "buffer", "random"]),
  });
}

/** Exports a model of the formula into a folder, and removes the checkpoint that it made for this. */
export async function exportFormulaModel(folder: string, file: string, name: keyof typeof CASES): Promise<void> {
  const checkpoint = join(folder, "formula.safetensors");
  await saveFormulaCheckpoint(checkpoint, name);
  await exportModel(checkpoint, { out: join(folder, file), force: true });
  await Deno.remove(checkpoint);
}

if (import.meta.main) {
  for (const [file, name] of EXPORTED) await exportFormulaModel(INTERCHANGE, file, name);
}
