import { cannotRead } from "../files/open_file.ts";
import { quoted } from "../printable.ts";
import type { ModelSettings } from "../ffi/settings.ts";
import { type Limits, MODEL_LIMITS } from "./limits.ts";
import { matchTensors } from "./match_tensors.ts";
import type { TensorLayout } from "./tensor.ts";

/** A bottleneck block has this many output channels per channel of its 3x3 convolution. */
const EXPANSION = 4;
const COLORS = 3;
/** Rows of an LSTM's weights per hidden unit: input, forget, cell and output gate. */
const GATES = 4;
// Only names and shapes matter here: files may have another float type.
const FLOAT = "F32";

/** A model's tensors by PyTorch's names, in the order of PyTorch's state_dict. */
export type StateDictLayout = ReadonlyMap<string, TensorLayout>;

/**
 * The parameters and buffers of a model's state_dict: `embed`, `resnet`, `language_lstm` (if it has language layers),
 * `lstm`, `linear`. Floats are F32.
 *
 * @example The output layer of a small model
 * ```ts
 * import assert from "node:assert/strict";
 * import { stateDictLayout } from "./model_shape.ts";
 *
 * const layout = stateDictLayout({
 *   vocabularySize: 40, embedSize: 12, hiddenSize: 16, languageLayers: 0, fusionLayers: 1, inject: "every",
 *   encoderWidth: 8, encoderBlocks: [1, 1, 1, 1],
 * });
 * assert.deepEqual(layout.get("linear.weight"), { dtype: "F32", shape: [40, 16] });
 * ```
 */
export function stateDictLayout(model: ModelSettings): StateDictLayout {
  const { vocabularySize, embedSize, hiddenSize, languageLayers, fusionLayers, inject } = model;
  const tokens = languageLayers > 0 ? hiddenSize : embedSize;
  const feature = inject === "every" ? embedSize : tokens;
  const fused = inject === "every" ? tokens + feature : tokens;
  return new Map([
    float("embed.weight", vocabularySize, embedSize),
    ...resnet(model, feature),
    ...lstm("language_lstm", embedSize, hiddenSize, languageLayers),
    ...lstm("lstm", fused, hiddenSize, fusionLayers),
    ...linear("linear", hiddenSize, vocabularySize),
  ]);
}

type Entry = readonly [name: string, layout: TensorLayout];

function float(name: string, ...shape: number[]): Entry {
  return [name, { dtype: FLOAT, shape }];
}

function linear(name: string, inputs: number, outputs: number): Entry[] {
  return [float(`${name}.weight`, outputs, inputs), float(`${name}.bias`, outputs)];
}

function lstm(name: string, inputs: number, hidden: number, layers: number): Entry[] {
  return Array.from({ length: layers }, (_, layer) => [
    float(`${name}.weight_ih_l${layer}`, GATES * hidden, layer === 0 ? inputs : hidden),
    float(`${name}.weight_hh_l${layer}`, GATES * hidden, hidden),
    float(`${name}.bias_ih_l${layer}`, GATES * hidden),
    float(`${name}.bias_hh_l${layer}`, GATES * hidden),
  ]).flat();
}

function convolution(name: string, inputs: number, outputs: number, side: number): Entry {
  return float(`${name}.weight`, outputs, inputs, side, side);
}

function batchNorm(name: string, channels: number): Entry[] {
  return [
    ...["weight", "bias", "running_mean", "running_var"].map((part) => float(`${name}.${part}`, channels)),
    [`${name}.num_batches_tracked`, { dtype: "I64", shape: [] }],
  ];
}

function resnet({ encoderWidth, encoderBlocks }: ModelSettings, outputs: number): Entry[] {
  const entries = [convolution("resnet.conv1", COLORS, encoderWidth, 7), ...batchNorm("resnet.bn1", encoderWidth)];
  let channels = encoderWidth;
  for (const [stage, count] of encoderBlocks.entries()) {
    const width = encoderWidth * 2 ** stage;
    for (let block = 0; block < count; block++) {
      const name = `resnet.layer${stage + 1}.${block}`;
      entries.push(
        ...[convolution(`${name}.conv1`, channels, width, 1), ...batchNorm(`${name}.bn1`, width)],
        ...[convolution(`${name}.conv2`, width, width, 3), ...batchNorm(`${name}.bn2`, width)],
        ...[convolution(`${name}.conv3`, width, EXPANSION * width, 1), ...batchNorm(`${name}.bn3`, EXPANSION * width)],
      );
      if (block === 0) {
        entries.push(
          convolution(`${name}.downsample.0`, channels, EXPANSION * width, 1),
          ...batchNorm(`${name}.downsample.1`, EXPANSION * width),
        );
      }
      channels = EXPANSION * width;
    }
  }
  return [...entries, ...linear("resnet.fc", channels, outputs)];
}

export interface InferModelOptions {
  /** The file's path, for messages. */
  readonly source: string;
}

export interface MatchModelOptions extends InferModelOptions {
  /**
   * The remedy, for the message.
   *
   * @default {none}
   */
  readonly advice?: string;
}

/**
 * Infers a model's dimensions from its tensors, and checks that all tensors of such a model are present. The
 * optimizer's state (`adam.*`) and the random state (`rng`) are ignored.
 *
 * @throws {InputError} If the tensors do not form a captioner; the message names the first that is missing or
 * different.
 */
export function inferModel(found: ReadonlyMap<string, TensorLayout>, { source }: InferModelOptions): ModelSettings {
  const size = (name: string, rank: number, dimension: number): number => {
    const shape = found.get(name)?.shape;
    if (shape === undefined) {
      throw cannotRead(
        source,
        `it holds no captioner, the tensor ${quoted(name)} is missing; list its tensors with deno task inspect`,
      );
    }
    const length = shape[dimension] ?? 0;
    if (shape.length === rank && length > 0) return length;
    throw cannotRead(source, `the tensor ${quoted(name)} has the shape [${shape.join(", ")}], which no captioner has`);
  };
  const count = (name: (index: number) => string, least: number): number => {
    let index = 0;
    while (found.has(name(index))) index++;
    if (index < least) size(name(index), 1, 0);
    return index;
  };
  const blocks = (stage: number) => count((block) => `resnet.layer${stage}.${block}.conv1.weight`, 1);
  const [vocabularySize, embedSize] = [size("embed.weight", 2, 0), size("embed.weight", 2, 1)];
  const hiddenSize = size("lstm.weight_hh_l0", 2, 1);
  const languageLayers = count((layer) => `language_lstm.weight_hh_l${layer}`, 0);
  const model: ModelSettings = {
    vocabularySize,
    embedSize,
    hiddenSize,
    languageLayers,
    fusionLayers: count((layer) => `lstm.weight_hh_l${layer}`, 1),
    // If the image feature is an input at every step, the LSTM's input is wider than the token embedding.
    inject: size("lstm.weight_ih_l0", 2, 1) > (languageLayers > 0 ? hiddenSize : embedSize) ? "every" : "first",
    encoderWidth: size("resnet.conv1.weight", 4, 0),
    encoderBlocks: [blocks(1), blocks(2), blocks(3), blocks(4)],
  };
  checkLimits(model, source);
  matchModel(model, found, { source });
  return model;
}

function checkLimits({ inject: _, ...dimensions }: ModelSettings, source: string): void {
  const limits: Readonly<Record<string, Limits>> = MODEL_LIMITS;
  for (const [name, value] of Object.entries(dimensions)) {
    const [least, most] = limits[name] ?? [0, 0];
    if ([value].flat().every((number) => number >= least && number <= most)) continue;
    throw cannotRead(source, `its model's ${name} is ${value}, it must be from ${least} to ${most}`);
  }
}

/**
 * Checks a file's tensors against a model's dimensions: equal names and shapes, floats of 32 or 64 bits.
 *
 * @param found The file's tensors by name; the optimizer's state (`adam.*`) and the random state (`rng`) are ignored.
 * @returns The model's tensors in the order of PyTorch's state_dict, with the file's float types.
 * @throws {InputError} If they differ.
 */
export function matchModel<Found extends TensorLayout>(
  model: ModelSettings,
  found: ReadonlyMap<string, Found>,
  options: MatchModelOptions,
): Map<string, Found> {
  const expected = new Map(
    Array.from(stateDictLayout(model), ([name, layout]): [string, TensorLayout] => {
      const isDouble = layout.dtype === FLOAT && found.get(name)?.dtype === "F64";
      return [name, isDouble ? { ...layout, dtype: "F64" } : layout];
    }),
  );
  matchTensors(expected, found, { ignore: (name) => !expected.has(name) && isTrainingTensor(name), ...options });
  const matched = new Map<string, Found>();
  for (const name of expected.keys()) {
    const tensor = found.get(name);
    if (tensor !== undefined) matched.set(name, tensor);
  }
  return matched;
}

/** Tells whether a checkpoint's tensor is training state instead of part of the model. */
export function isTrainingTensor(name: string): boolean {
  return name === "rng" || name.startsWith("adam.");
}
