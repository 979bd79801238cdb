/**
 * Pretrained weights of the CNN.
 *
 * @module
 */

import type { Engine } from "../ffi/engine.ts";
import { loadEncoder } from "./model_state.ts";
import { readPth } from "./pth.ts";
import { readSafetensors } from "./safetensors.ts";

/**
 * Reads weights of torchvision's ResNet-50 into a model's CNN.
 *
 * @param engine The model.
 * @param path A state_dict of PyTorch (`.pth`, `.pt`) or a safetensors file.
 * @returns How many tensors were taken.
 * @throws {InputError} If the file cannot be read, or its weights are another network's.
 */
export async function loadEncoderWeights(engine: Engine, path: string): Promise<number> {
  if (!path.endsWith(".safetensors")) return await loadEncoder(engine, await readPth(path), { source: path });
  using file = await readSafetensors(path);
  return await loadEncoder(engine, file.tensors, { source: path });
}
