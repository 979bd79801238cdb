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
import { fillModel, type GoldenCase, modelSettings } from "../support/golden_batch.ts";

/** Where the golden files are. */
export const INTERCHANGE: string = fileURLToPath(new URL("interchange/", import.meta.url));

const SMALL = { vocabulary: 11, embed: 4, hidden: 5, width: 1, blocks: [1, 1, 1, 1] };
const SHAPE = { images: 2, captionsPerImage: 1, side: 32 };

/** The models' names: the notebook's, and variants with the place where the image enters. */
export const NAMES = ["notebook", "1u_every", "1u_first", "2u_every", "2f_first", "2f_every", "4f_every"] as const;

/** One of the models' names. */
export type CaseName = typeof NAMES[number];

/** The models, as the script has them. */
export const CASES: Readonly<Record<CaseName, GoldenCase>> = {
  notebook: { ...variant(0, 1, "first"), loss: "notebook" },
  "1u_every": variant(0, 1, "every"),
  "1u_first": variant(0, 1, "first"),
  "2u_every": variant(0, 2, "every"),
  "2f_first": variant(1, 1, "first"),
  "2f_every": variant(1, 1, "every"),
  "4f_every": variant(2, 2, "every"),
};

/** The files that are exported: formats and models. */
export const EXPORTED: readonly [file: string, name: CaseName][] = [
  ...NAMES.map((name): [string, CaseName] => [`lrcn_${name}.pth`, name]),
  ["lrcn_2f_first.safetensors", "2f_first"],
];

function variant(language: number, fusion: number, inject: "every" | "first"): GoldenCase {
  return { ...SHAPE, loss: "masked", model: { ...SMALL, language, fusion, inject } };
}

/**
 * Saves a model of the formula as a checkpoint.
 *
 * @param path Where it shall be.
 * @param name Which model.
 */
export async function saveFormulaCheckpoint(path: string, name: CaseName): Promise<void> {
  const model = modelSettings(CASES[name]);
  const isNotebook = name === "notebook";
  const specials = ["<pad>", "<unk>", ...(isNotebook ? [] : ["<start>", "<end>"])];
  using engine = await Engine.open(model, { device: "cpu", precision: "fp32", threads: 1 });
  await fillModel(engine);
  await saveCheckpoint(path, {
    metadata: {
      recipe: isNotebook ? "notebook" : "lrcn",
      model,
      preprocessing: { imageSize: 32, shortSide: 37, applyExif: !isNotebook },
      // The notebook's layer is larger than its vocabulary.
      vocabulary: [...specials, "a", "red", "kite", "dog", "."],
      decoding: { ...(isNotebook ? { firstWord: "a" } : {}), maxLength: 6, beamSize: 3 },
      datasetFingerprint: "0123456789abcdef",
      epoch: 1,
      metrics: {},
    },
    tensors: await modelTensors(engine, ["parameter", "buffer", "random"]),
  });
}

/** Exports a model of the formula into a folder, and removes the checkpoint that it made for this. */
export async function exportFormulaModel(folder: string, file: string, name: CaseName): Promise<void> {
  const checkpoint = join(folder, "formula.safetensors");
  await saveFormulaCheckpoint(checkpoint, name);
  await exportModel(checkpoint, { out: join(folder, file), force: true });
  await Deno.remove(checkpoint);
}

if (import.meta.main) {
  for (const [file, name] of EXPORTED) await exportFormulaModel(INTERCHANGE, file, name);
}
