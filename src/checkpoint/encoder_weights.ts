/**
 * Pretrained weights of the CNN.
 *
 * @module
 */

import type { Engine } from "../ffi/engine.ts";
import { type LoadedEncoder, loadEncoder } from "./model_state.ts";
import { openWeights } from "./weights_file.ts";

/**
 * Reads published weights into a model's encoder. Nothing is changed unless every name and shape is right.
 *
 * @param engine The model.
 * @param path A state_dict of PyTorch, in either of its formats, or a safetensors file.
 * @returns What was taken, and the classifier's names, which were left out.
 * @throws {InputError} If the file cannot be read, or its weights are another network's.
 */
export async function loadEncoderWeights(engine: Engine, path: string): Promise<LoadedEncoder> {
  using file = await openWeights(path);
  return await loadEncoder(engine, file.tensors, { source: path });
}
