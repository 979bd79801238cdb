import { isEncoderTensor } from "../ffi/encoders.ts";
import type { Engine, TensorInfo } from "../ffi/engine.ts";
import { InputError } from "../input_error.ts";
import { readAhead } from "../read_ahead.ts";
import { convertFloats, isFloatType } from "./float_types.ts";
import { matchTensors } from "./match_tensors.ts";
import { sharedPrefix } from "./shared_prefix.ts";
import type { StoredTensor, TensorLayout, TensorSource } from "./tensor.ts";

/**
 * A model's tensors as sources for a checkpoint, each read from the device on demand.
 *
 * @param kinds Parameters and buffers for captioning; also the optimizer's state and the random state to resume
 * training.
 */
export async function modelTensors(engine: Engine, kinds: readonly TensorInfo["kind"][]): Promise<TensorSource[]> {
  const tensors = (await engine.tensors()).filter(({ kind }) => kinds.includes(kind));
  return tensors.map((tensor) => ({ ...tensor, read: () => engine.read(tensor) }));
}

export interface LoadModelOptions {
  /** The file's path, for messages. */
  readonly source: string;
}

/**
 * Loads a model's parameters and buffers. Nothing changes unless all of them are present with the model's shapes.
 * Float types are converted; training state in the file is ignored.
 *
 * @throws {InputError} If the tensors belong to another model.
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
 * Loads everything needed to resume training: parameters, buffers, the optimizer's moments and the random state.
 * Nothing changes unless all of them are present with the model's shapes.
 *
 * @throws {InputError} If the tensors belong to another model, or contain no training state.
 */
export async function loadTraining(
  engine: Pick<Engine, "tensors" | "write">,
  found: ReadonlyMap<string, StoredTensor>,
  options: LoadModelOptions,
): Promise<void> {
  const tensors = (await engine.tensors()).filter(({ kind }) => kind !== "gradient" && kind !== "optimizer");
  const parameters = tensors.filter(({ kind }) => kind === "parameter");
  // A new engine creates its moments when the first one is written, so they are listed here.
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
      `Cannot load the training's state from '${options.source}': its random state belongs to another device; ` +
        "resume with the --device it was trained on",
    );
  }
  const hasMoments = found.has(`adam.exp_avg.${parameters[0]?.name}`);
  await writeTensors(engine, [...tensors, ...(hasMoments ? [...moments, ...steps] : [])], { ...options, found });
}

interface WriteTensorsOptions extends LoadModelOptions {
  readonly found: ReadonlyMap<string, StoredTensor>;
  /** Maps a model's tensor name to the file's. */
  readonly storedName?: (name: string) => string;
}

async function writeTensors(
  engine: Pick<Engine, "write">,
  tensors: readonly TensorInfo[],
  { found, source, storedName = (name) => name }: WriteTensorsOptions,
): Promise<void> {
  const stored = tensors.map((tensor) => ({ ...tensor, name: storedName(tensor.name) }));
  const expected = new Map(stored.map((tensor): [string, TensorLayout] => [tensor.name, storedLayout(tensor, found)]));
  matchTensors(expected, found, {
    ignore: (name) => !expected.has(name) && /^(adam\.|rng(\.\d+)?$)/.test(name),
    source,
  });

  async function read({ name, dtype }: TensorInfo) {
    const tensor = found.get(storedName(name));
    if (tensor === undefined) return { name, bytes: undefined };
    const bytes = await tensor.read();
    const converts = isFloatType(tensor.dtype) && isFloatType(dtype);
    return { name, bytes: converts ? convertFloats(bytes, tensor.dtype, dtype) : bytes };
  }

  for await (const { name, bytes } of readAhead(read, tensors, READ_AHEAD)) {
    if (bytes !== undefined) await engine.write(name, bytes);
  }
}

/** Tensors to read while one is written: the largest is a tenth of the model. */
const READ_AHEAD = 2;

/** The model's layout with the file's float type, which is converted. */
function storedLayout({ name, dtype, shape }: TensorInfo, found: ReadonlyMap<string, StoredTensor>): TensorLayout {
  const stored = found.get(name)?.dtype;
  return { dtype: stored !== undefined && isFloatType(stored) && isFloatType(dtype) ? stored : dtype, shape };
}

/** The result of {@linkcode loadEncoder}. */
export interface LoadedEncoder {
  /** Number of tensors loaded. */
  readonly tensors: number;
  /** Names the encoder does not have, in file order: the classifier's. */
  readonly skipped: readonly string[];
}

/** The first layer of the encoders. */
const STEMS: readonly string[] = ["conv1.weight", "_conv_stem.weight"];
const CLASSIFIER: readonly string[] = ["fc.weight", "fc.bias", "_fc.weight", "_fc.bias"];

/**
 * Loads the encoder's parameters and buffers from its published weights, with or without a prefix that all names share.
 * The classifier is skipped: the captioner has its own last layer.
 *
 * @param weights The file's tensors, by their published names.
 * @throws {InputError} If the weights belong to another network; the message uses the file's names.
 */
export async function loadEncoder(
  engine: Engine,
  weights: ReadonlyMap<string, StoredTensor>,
  options: LoadModelOptions,
): Promise<LoadedEncoder> {
  const names = [...weights.keys()];
  const prefix = sharedPrefix(names, (name) => STEMS.includes(name));
  const skipped = names.filter((name) => CLASSIFIER.includes(name.slice(prefix.length)));
  const found = new Map([...weights].filter(([name]) => !skipped.includes(name)));
  const storedName = (name: string) => `${prefix}${name.slice(name.indexOf(".") + 1)}`;
  // Older files lack this counter, and BatchNorm does not need it.
  const isCounter = (name: string) => name.endsWith(".num_batches_tracked") && !found.has(storedName(name));
  const tensors = (await engine.tensors()).filter(({ name, kind }) =>
    kind !== "gradient" && isEncoderTensor(name) && !isCounter(name)
  );
  await writeTensors(engine, tensors, { ...options, found, storedName });
  return { tensors: tensors.length, skipped };
}
