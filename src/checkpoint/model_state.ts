/**
 * From a model on a device to the tensors of a file, and back.
 *
 * @module
 */

import { isEncoderTensor } from "../ffi/encoders.ts";
import type { Engine, TensorInfo } from "../ffi/engine.ts";
import { InputError } from "../input_error.ts";
import { readAhead } from "../read_ahead.ts";
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
  await writeTensors(engine, tensors, { ...options, found });
}

/**
 * Sets all that a training goes on with: parameters, buffers, the optimizer's moments and the random state. Nothing is
 * changed unless all of them are there with the model's shapes.
 *
 * @param engine The model.
 * @param found The file's tensors.
 * @param options See {@linkcode LoadModelOptions}.
 * @throws {InputError} If the tensors are another model's, or none of a training.
 */
export async function loadTraining(
  engine: Pick<Engine, "tensors" | "write">,
  found: ReadonlyMap<string, StoredTensor>,
  options: LoadModelOptions,
): Promise<void> {
  const tensors = (await engine.tensors()).filter(({ kind }) => kind !== "gradient" && kind !== "optimizer");
  const parameters = tensors.filter(({ kind }) => kind === "parameter");
  // Listed by rule: a new engine makes them when the first one is written.
  const moments = ["exp_avg", "exp_avg_sq"].flatMap((moment) =>
    parameters.map((tensor): TensorInfo => ({ ...tensor, name: `adam.${moment}.${tensor.name}`, kind: "optimizer" }))
  );
  const steps = ["encoder", "decoder"].map((group): TensorInfo => (
    { name: `adam.step.${group}`, kind: "optimizer", dtype: "F32", shape: [] }
  ));
  const random = tensors.find(({ kind }) => kind === "random");
  const [length, other] = [random?.shape[0], found.get(random?.name ?? "")?.shape[0]];
  if (other !== undefined && other !== length) {
    throw new InputError(
      `Cannot load the training's state from '${options.source}': its random state is another device's; go on by --device ` +
        "with the device it was trained on",
    );
  }
  const hasMoments = found.has(`adam.exp_avg.${parameters[0]?.name}`);
  await writeTensors(engine, [...tensors, ...(hasMoments ? [...moments, ...steps] : [])], { ...options, found });
}

interface WriteTensorsOptions extends LoadModelOptions {
  readonly found: ReadonlyMap<string, StoredTensor>;
  /** A tensor's name in the file, where it is not the model's. */
  readonly storedName?: (name: string) => string;
}

async function writeTensors(
  engine: Pick<Engine, "write">,
  tensors: readonly TensorInfo[],
  { found, source, storedName = (name) => name }: WriteTensorsOptions,
): Promise<void> {
  const stored = tensors.map((tensor) => ({ ...tensor, name: storedName(tensor.name) }));
  const expected = new Map(stored.map((tensor): [string, TensorLayout] => [tensor.name, asStored(tensor, found)]));
  matchTensors(expected, found, {
    ignore: (name) => !expected.has(name) && /^(adam\.|rng(\.\d+)?$)/.test(name),
    source,
  });

  async function read({ name, dtype }: TensorInfo) {
    const tensor = found.get(storedName(name));
    return { name, bytes: tensor && convertFloats(await tensor.read(), tensor.dtype, dtype) };
  }

  for await (const { name, bytes } of readAhead(read, tensors, READ_AHEAD)) {
    if (bytes !== undefined) await engine.write(name, bytes);
  }
}

/** Tensors read while one is written: the largest is a tenth of the model. */
const READ_AHEAD = 2;

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

/** What {@linkcode loadEncoder} took. */
export interface LoadedEncoder {
  /** How many tensors were taken. */
  readonly tensors: number;
  /** The names of those that the CNN does not have: its classifier's, in the order of the file. */
  readonly skipped: readonly string[];
}

/** Before each name in files of models that PyTorch's DataParallel has wrapped. */
const WRAPPED = "module.";
const CLASSIFIER: readonly string[] = ["fc.weight", "fc.bias", "_fc.weight", "_fc.bias"];

/**
 * Sets the encoder's parameters and buffers from its published weights, whose last layer, the classifier, is left out:
 * the captioner has its own. Names may have `module.` before them, as PyTorch's DataParallel puts it.
 *
 * @param engine The model.
 * @param weights The file's tensors, by the names that they were published with.
 * @param options See {@linkcode LoadModelOptions}.
 * @returns What was taken, and what was left out.
 * @throws {InputError} If the weights are another network's; the message has the file's names.
 */
export async function loadEncoder(
  engine: Engine,
  weights: ReadonlyMap<string, StoredTensor>,
  options: LoadModelOptions,
): Promise<LoadedEncoder> {
  const names = [...weights.keys()];
  const prefix = names.length > 0 && names.every((name) => name.startsWith(WRAPPED)) ? WRAPPED : "";
  const skipped = names.filter((name) => CLASSIFIER.includes(name.slice(prefix.length)));
  const found = new Map([...weights].filter(([name]) => !skipped.includes(name)));
  const storedName = (name: string) => `${prefix}${name.slice(name.indexOf(".") + 1)}`;
  // Files older than this counter do not have it, and BatchNorm does not need it.
  const isCounter = (name: string) => name.endsWith(".num_batches_tracked") && !found.has(storedName(name));
  const tensors = (await engine.tensors()).filter(({ name, kind }) =>
    kind !== "gradient" && isEncoderTensor(name) && !isCounter(name)
  );
  await writeTensors(engine, tensors, { ...options, found, storedName });
  return { tensors: tensors.length, skipped };
}
