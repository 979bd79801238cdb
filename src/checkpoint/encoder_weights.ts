import type { Engine } from "../ffi/engine.ts";
import { type LoadedEncoder, loadEncoder } from "./model_state.ts";
import { openWeights } from "./weights_file.ts";

/**
 * Loads published weights into a model's encoder. Nothing changes unless every name and shape is right.
 *
 * @param path A PyTorch state_dict, in either of its formats, or a safetensors file.
 * @returns What was loaded, and the skipped weights of the classifier.
 * @throws {InputError} If the file cannot be read, or its weights belong to another network.
 */
export async function loadEncoderWeights(engine: Engine, path: string): Promise<LoadedEncoder> {
  using file = await openWeights(path);
  return await loadEncoder(engine, file.tensors, { source: path });
}
