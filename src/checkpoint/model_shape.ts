import { cannotRead } from "../files/open_file.ts";
import { quoted } from "../printable.ts";
import { type Architecture, DEFAULT_ENCODER, ENCODER_NAMES, type EncoderName, ENCODERS } from "../ffi/encoders.ts";
import type { ModelSettings } from "../ffi/settings.ts";
import { isFloatType } from "./float_types.ts";
import { type Limits, MODEL_LIMITS } from "./limits.ts";
import { matchTensors } from "./match_tensors.ts";
import type { TensorLayout } from "./tensor.ts";

/** A bottleneck block has this many output channels per channel of its 3x3 convolution. */
const EXPANSION = 4;
const COLORS = 3;
/** EfficientNet-Lite's stages: expansion of a block's channels, output channels at width 1, kernel side. */
const LITE_STAGES = [[1, 16, 3], [6, 24, 3], [6, 40, 5], [6, 80, 3], [6, 112, 5], [6, 192, 5], [6, 320, 3]] as const;
const LITE_STEM = 32;
const LITE_HEAD = 1280;
/** Rows of an LSTM's weights per hidden unit: input, forget, cell and output gate. */
const GATES = 4;
// Only names and shapes matter here: files may have another float type.
const FLOAT = "F32";

/** A model's tensors by PyTorch's names, in the order of PyTorch's state_dict. */
export type StateDictLayout = ReadonlyMap<string, TensorLayout>;

/**
 * The parameters and buffers of a model's state_dict: `embed`, `resnet` or `efficientnet`, `language_lstm` (if it has
 * language layers), `lstm`, `linear`. Floats are F32.
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
    ...encoder(model, feature),
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

function encoder(model: ModelSettings, outputs: number): Entry[] {
  const { architecture } = ENCODERS[model.encoder ?? DEFAULT_ENCODER];
  return architecture === "efficientnet-lite" ? lite(model, outputs) : resnet(model, architecture, outputs);
}

function resnet(
  { encoderWidth, encoderBlocks }: ModelSettings,
  architecture: "resnet-basic" | "resnet-bottleneck",
  outputs: number,
): Entry[] {
  const entries = [convolution("resnet.conv1", COLORS, encoderWidth, 7), ...batchNorm("resnet.bn1", encoderWidth)];
  let channels = encoderWidth;
  for (const [stage, count] of encoderBlocks.entries()) {
    const width = encoderWidth * 2 ** stage;
    const layers = architecture === "resnet-basic"
      ? [[width, 3], [width, 3]] as const
      : [[width, 1], [width, 3], [EXPANSION * width, 1]] as const;
    for (let block = 0; block < count; block++) {
      const name = `resnet.layer${stage + 1}.${block}`;
      let inputs = channels;
      for (const [index, [outputs, side]] of layers.entries()) {
        entries.push(convolution(`${name}.conv${index + 1}`, inputs, outputs, side));
        entries.push(...batchNorm(`${name}.bn${index + 1}`, outputs));
        inputs = outputs;
      }
      if (channels !== inputs || (block === 0 && stage > 0)) {
        entries.push(convolution(`${name}.downsample.0`, channels, inputs, 1));
        entries.push(...batchNorm(`${name}.downsample.1`, inputs));
      }
      channels = inputs;
    }
  }
  return [...entries, ...linear("resnet.fc", channels, outputs)];
}

function lite({ encoderWidth, encoderBlocks }: ModelSettings, outputs: number): Entry[] {
  const root = "efficientnet";
  const entries = [convolution(`${root}._conv_stem`, COLORS, LITE_STEM, 3), ...batchNorm(`${root}._bn0`, LITE_STEM)];
  let inputs = LITE_STEM;
  let number = 0;
  for (const [stage, [expansion, unscaled, side]] of LITE_STAGES.entries()) {
    const channels = liteChannels(unscaled, encoderWidth);
    for (let block = 0; block < (encoderBlocks[stage] ?? 0); block++) {
      const name = `${root}._blocks.${number++}`;
      const wide = expansion * inputs;
      if (expansion > 1) {
        entries.push(convolution(`${name}._expand_conv`, inputs, wide, 1), ...batchNorm(`${name}._bn0`, wide));
      }
      entries.push(convolution(`${name}._depthwise_conv`, 1, wide, side), ...batchNorm(`${name}._bn1`, wide));
      entries.push(convolution(`${name}._project_conv`, wide, channels, 1), ...batchNorm(`${name}._bn2`, channels));
      inputs = channels;
    }
  }
  entries.push(convolution(`${root}._conv_head`, inputs, LITE_HEAD, 1), ...batchNorm(`${root}._bn1`, LITE_HEAD));
  return [...entries, ...linear(`${root}._fc`, LITE_HEAD, outputs)];
}

/** Channels times the width coefficient, rounded to a multiple of 8 of at least 90% of it. */
function liteChannels(channels: number, hundredths: number): number {
  const exact = channels * (hundredths / 100);
  const rounded = Math.max(8, Math.floor((exact + 4) / 8) * 8);
  return rounded < 0.9 * exact ? rounded + 8 : rounded;
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
  const size: Size = (name, rank, dimension) => {
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
  const count: Count = (name, least) => {
    let index = 0;
    while (found.has(name(index))) index++;
    if (index < least) size(name(index), 1, 0);
    return index;
  };
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
    ...(found.has("efficientnet._conv_stem.weight")
      ? inferLite(found, { size, count })
      : inferResnet(found, { size, count })),
  };
  checkLimits(model, source);
  matchModel(model, found, { source });
  return model;
}

/** A dimension of a tensor; throws if the tensor is missing or of another rank. */
type Size = (name: string, rank: number, dimension: number) => number;
/** The number of consecutive names from index 0 on; throws if there are fewer than `least`. */
type Count = (name: (index: number) => string, least: number) => number;
type Inferred = Required<Pick<ModelSettings, "encoder" | "encoderWidth" | "encoderBlocks">>;

function inferResnet(
  found: ReadonlyMap<string, TensorLayout>,
  { size, count }: { readonly size: Size; readonly count: Count },
): Inferred {
  const encoderWidth = size("resnet.conv1.weight", 4, 0);
  const encoderBlocks = [1, 2, 3, 4].map((stage) => count((block) => `resnet.layer${stage}.${block}.conv1.weight`, 1));
  const isBottleneck = found.has("resnet.layer1.0.conv3.weight");
  const architecture = isBottleneck ? "resnet-bottleneck" : "resnet-basic";
  // A ResNet of another size takes the name of one of its architecture.
  const encoder = nameOf({ architecture, encoderWidth, encoderBlocks }) ??
    (isBottleneck ? DEFAULT_ENCODER : "resnet18");
  return { encoder, encoderWidth, encoderBlocks };
}

function inferLite(
  found: ReadonlyMap<string, TensorLayout>,
  { size, count }: { readonly size: Size; readonly count: Count },
): Inferred {
  const name = (block: number, part: string) => `efficientnet._blocks.${block}.${part}.weight`;
  const numbers = count((block) => name(block, "_project_conv"), LITE_STAGES.length);
  const channels: number[] = [];
  const encoderBlocks: number[] = [];
  let former = "";
  for (let block = 0; block < numbers; block++) {
    const outputs = size(name(block, "_project_conv"), 4, 0);
    // Never the same in two consecutive stages.
    const kind = [found.has(name(block, "_expand_conv")), size(name(block, "_depthwise_conv"), 4, 2), outputs].join();
    if (kind !== former) {
      channels.push(outputs);
      encoderBlocks.push(0);
    }
    encoderBlocks[encoderBlocks.length - 1] = (encoderBlocks.at(-1) ?? 0) + 1;
    former = kind;
  }
  const [, most] = MODEL_LIMITS.encoderWidth;
  const fits = (width: number) =>
    LITE_STAGES.every(([, unscaled], stage) => liteChannels(unscaled, width) === channels[stage]);
  // Several coefficients give the same channels; those of the named sizes come first.
  const widths = [ENCODERS["efficientnet-lite0"].width, ENCODERS["efficientnet-lite2"].width];
  const encoderWidth = [...widths, ...Array.from({ length: most }, (_, index) => index + 1)].find(fits) ?? widths[0];
  const shape = { architecture: "efficientnet-lite", encoderWidth: encoderWidth ?? 0, encoderBlocks } as const;
  return { encoder: nameOf(shape) ?? "efficientnet-lite0", encoderWidth: shape.encoderWidth, encoderBlocks };
}

/** The name of the encoder of this size, if it has one. */
function nameOf(
  { architecture, encoderWidth, encoderBlocks }: Omit<Inferred, "encoder"> & { readonly architecture: Architecture },
): EncoderName | undefined {
  return ENCODER_NAMES.find((name) => {
    const known = ENCODERS[name];
    return known.architecture === architecture && known.width === encoderWidth &&
      `${known.blocks}` === `${encoderBlocks}`;
  });
}

function checkLimits({ inject: _, encoder: __, ...dimensions }: ModelSettings, source: string): void {
  const limits: Readonly<Record<string, Limits>> = MODEL_LIMITS;
  for (const [name, value] of Object.entries(dimensions)) {
    const [least, most] = limits[name] ?? [0, 0];
    if ([value].flat().every((number) => number >= least && number <= most)) continue;
    throw cannotRead(source, `its model's ${name} is ${value}, it must be from ${least} to ${most}`);
  }
}

/**
 * Checks a file's tensors against a model's dimensions: equal names and shapes, and any float type.
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
      const stored = found.get(name)?.dtype;
      const converts = layout.dtype === FLOAT && stored !== undefined && isFloatType(stored);
      return [name, converts ? { ...layout, dtype: stored } : layout];
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
