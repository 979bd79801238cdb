// The batches and models of tests/golden/model.py, made again from its formula.

import type { Engine, TensorInfo } from "../../src/ffi/engine.ts";
import { type EncoderName, ENCODERS } from "../../src/ffi/encoders.ts";
import type { ModelSettings } from "../../src/ffi/settings.ts";
import type { PixelBatch } from "../ffi/batches.ts";
import { fill, integers } from "../ffi/formula.ts";

/** One case of the golden file. */
export interface GoldenCase {
  readonly images: number;
  readonly captionsPerImage: number;
  readonly side: number;
  readonly loss: string;
  readonly model: {
    readonly encoder?: string;
    /** What the encoder's last layer is multiplied by; 1 if undefined. */
    readonly lastLayer?: number;
    /** The range of the BatchNorm biases before a ReLU6; small around 0 if undefined. */
    readonly normBias?: number[];
    readonly vocabulary: number;
    readonly embed: number;
    readonly hidden: number;
    readonly width: number;
    readonly blocks: number[];
    readonly language: number;
    readonly fusion: number;
    readonly inject: string;
  };
}

export function modelSettings({ model }: GoldenCase): ModelSettings {
  const encoder = Object.keys(ENCODERS).find((name): name is EncoderName => name === model.encoder) ?? "resnet50";
  return {
    encoder,
    vocabularySize: model.vocabulary,
    embedSize: model.embed,
    hiddenSize: model.hidden,
    languageLayers: model.language,
    fusionLayers: model.fusion,
    inject: model.inject === "every" ? "every" : "first",
    encoderWidth: model.width,
    encoderBlocks: model.blocks,
  };
}

type Fill = Pick<GoldenCase["model"], "lastLayer" | "normBias">;

/** A weight of the golden model: small around 0, BatchNorm's scales around 1. */
function golden({ name, shape }: TensorInfo, { lastLayer = 1, normBias }: Fill): Float64Array<ArrayBuffer> {
  const values = fill(name, shape.reduce((product, length) => product * length, 1));
  if (normBias && /_bn[01]\.bias$/.test(name)) {
    const [low = NaN, high = NaN] = normBias;
    return values.map((value) => low + (value + 0.5) * (high - low));
  }
  if (/^(resnet|efficientnet)\.(?!_?fc\.)/.test(name) && shape.length === 1) {
    const center = name.endsWith(".weight") || name.endsWith(".running_var") ? 1 : 0;
    return values.map((value) => value * 0.4 + center);
  }
  const fanIn = shape.slice(1).reduce((product, length) => product * length, 1);
  const scale = (name === "embed.weight" ? 2 : 4 / Math.sqrt(fanIn)) * (/\._?fc\./.test(name) ? lastLayer : 1);
  return values.map((value) => value * scale);
}

/** Gives an engine the golden weights and fresh counters. */
export async function fillModel(engine: Engine, settings: Fill = {}): Promise<void> {
  for (const tensor of await engine.tensors()) {
    if (tensor.kind !== "parameter" && tensor.kind !== "buffer") continue;
    if (tensor.dtype === "I64") {
      await engine.write(tensor.name, new Uint8Array(8));
      continue;
    }
    const values = golden(tensor, settings);
    const typed = tensor.dtype === "F32" ? Float32Array.from(values) : values;
    await engine.write(tensor.name, new Uint8Array(typed.buffer));
  }
}

/** The golden batch of a case. */
export function goldenBatch(name: string, settings: GoldenCase): PixelBatch {
  const { images: count, captionsPerImage, side } = settings;
  const { vocabulary } = settings.model;
  const rows = count * captionsPerImage;
  const pixels = Uint8Array.from(integers(`${name} pixels`, count * side * side * 3, 256));
  const images = { count, height: side, width: side, pixels };
  const imageOfRow = Int32Array.from({ length: rows }, (_, row) => Math.floor(row / captionsPerImage));
  const notebook = settings.loss === "notebook";
  const length = notebook ? 30 : 9;
  const first = notebook ? 0 : 4;
  const lengths = notebook
    ? integers(`${name} lengths`, rows, 20).map((value) => value + 8)
    : integers(`${name} lengths`, rows, length - 3).map((value) => value + 4);
  const tokens = integers(`${name} tokens`, rows * length, vocabulary - first).map((token, index) => {
    const column = index % length;
    const end = lengths[Math.floor(index / length)] ?? 0;
    if (column >= end) return 0;
    if (notebook) return token;
    return column === 0 ? 2 : column === end - 1 ? 3 : first + token;
  });
  const columns = (from: number, to: number) =>
    tokens.filter((_, index) => index % length >= from && index % length < to);
  const targets = columns(1, length);
  return {
    images,
    imageOfRow,
    inputs: columns(0, notebook ? length - 2 : length - 1),
    inputsLength: notebook ? length - 2 : length - 1,
    targets: notebook ? targets : targets.map((token) => token === 0 ? -1 : token),
    targetsLength: length - 1,
  };
}
