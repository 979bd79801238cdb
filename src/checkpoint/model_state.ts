/**
 * From a model on a device to the tensors of a file, and back.
 *
 * @module
 */

import type { Engine, TensorInfo } from "../ffi/engine.ts";
import { matchTensors } from "./match_tensors.ts";
import type { DType, StoredTensor, TensorLayout, TensorSource } from "./tensor.ts";

/**
 * What a checkpoint holds of a model.
 *
 * @param engine The model.
 * @param kinds Parameters and buffers for captions; the optimizer's state and the random state too for going on.
 * @returns The tensors, each read from the device when its turn comes.
 */
export async function modelTensors(engine: Engine, kinds: readonly TensorInfo["kind"][]): Promise<TensorSource[]> {
  const tensors = (await engine.tensors()).filter(({ kind }) => kinds.includes(kind));
  return tensors.map((tensor) => ({ ...tensor, read: () => engine.read(tensor) }));
}

/** Options of {@linkcode loadModel}. */
export interface LoadModelOptions {
  /** Where the tensors are from, for messages: a path. */
  readonly source: string;
}

/**
 * Sets a model's parameters and buffers. Nothing is changed unless all of them are there with the model's shapes; float32
 * and float64 become each other, and what else the file holds is left alone if its name is the training's.
 *
 * @param engine The model.
 * @param found The file's tensors.
 * @param options See {@linkcode LoadModelOptions}.
 * @throws {InputError} If the tensors are another model's.
 */
export async function loadModel(
  engine: Engine,
  found: ReadonlyMap<string, StoredTensor>,
  options: LoadModelOptions,
): Promise<void> {
  const tensors = (await engine.tensors()).filter(({ kind }) => kind === "parameter" || kind === "buffer");
  await writeTensors(engine, tensors, found, options.source);
}

async function writeTensors(
  engine: Engine,
  tensors: readonly TensorInfo[],
  found: ReadonlyMap<string, StoredTensor>,
  source: string,
): Promise<void> {
  const expected = new Map(tensors.map((tensor): [string, TensorLayout] => [tensor.name, asStored(tensor, found)]));
  matchTensors(expected, found, { ignore: (name) => /^(adam\.|rng$)/.test(name), source });
  for (const tensor of tensors) {
    const stored = found.get(tensor.name);
    if (stored !== undefined) {
      await engine.write(tensor.name, convertFloats(await stored.read(), stored.dtype, tensor.dtype));
    }
  }
}

/** The model's layout with the file's float type, which is converted. */
function asStored({ name, dtype, shape }: TensorInfo, found: ReadonlyMap<string, StoredTensor>): TensorLayout {
  const stored = found.get(name)?.dtype;
  const floats: readonly (DType | undefined)[] = ["F32", "F64"];
  return { dtype: stored !== undefined && floats.includes(stored) && floats.includes(dtype) ? stored : dtype, shape };
}

function convertFloats(bytes: Uint8Array<ArrayBuffer>, from: DType, to: DType): Uint8Array<ArrayBuffer> {
  if (from === "F64" && to === "F32") return new Uint8Array(Float32Array.from(new Float64Array(bytes.buffer)).buffer);
  if (from === "F32" && to === "F64") return new Uint8Array(Float64Array.from(new Float32Array(bytes.buffer)).buffer);
  return bytes;
}

/**
 * Sets the CNN's parameters and buffers from weights of torchvision's ResNet, whose last layer, the classifier, is left
 * out: the captioner has its own.
 *
 * @param engine The model.
 * @param weights The file's tensors, by torchvision's names.
 * @param options See {@linkcode LoadModelOptions}.
 * @returns How many tensors were taken.
 * @throws {InputError} If the weights are another network's.
 */
export async function loadEncoder(
  engine: Engine,
  weights: ReadonlyMap<string, StoredTensor>,
  options: LoadModelOptions,
): Promise<number> {
  const found = new Map<string, StoredTensor>();
  for (const [name, tensor] of weights) if (!name.startsWith("fc.")) found.set(`resnet.${name}`, tensor);
  // Files older than this counter do not have it, and BatchNorm does not need it.
  const isCounter = (name: string) => name.endsWith(".num_batches_tracked") && !found.has(name);
  const tensors = (await engine.tensors()).filter(({ name }) =>
    name.startsWith("resnet.") && !name.startsWith("resnet.fc.") && !isCounter(name)
  );
  await writeTensors(engine, tensors.filter(({ kind }) => kind !== "gradient"), found, options.source);
  return tensors.length;
}
