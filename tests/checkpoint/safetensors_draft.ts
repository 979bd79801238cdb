// A checkpoint as text and bytes before they are put together, so that a test can spoil any part of it.

import type { TensorLayout } from "../../src/checkpoint/tensor.ts";

/** A tensor's entry in the header, each part as JSON text. */
export interface TensorDraft {
  /** The name. */
  readonly name: string;
  /** Keys and values. */
  readonly fields: readonly (readonly [string, string])[];
}

/** A file before it is put together, each part as JSON text. */
export interface Draft {
  /** Keys and values of the metadata. */
  readonly metadata: readonly (readonly [string, string])[];
  /** The tensors. */
  readonly tensors: readonly TensorDraft[];
}

/** A tensor as the draft lays it out. */
export interface Placed extends TensorLayout {
  /** The first byte. */
  readonly begin: number;
  /** The byte after the last. */
  readonly end: number;
}

/** The tensors of {@linkcode SOUND} that have elements. */
export const PLACED: readonly Placed[] = [
  { dtype: "F64", shape: [], begin: 0, end: 8 },
  { dtype: "F32", shape: [2, 3], begin: 8, end: 32 },
  { dtype: "BF16", shape: [2], begin: 32, end: 36 },
  { dtype: "U8", shape: [3], begin: 36, end: 39 },
];

/** Bytes of the elements of {@linkcode SOUND}. */
export const DATA_BYTES = 39;

const METADATA = {
  lrcn: 3,
  recipe: "lrcn",
  model: {
    vocabularySize: 6,
    embedSize: 4,
    hiddenSize: 4,
    languageLayers: 0,
    fusionLayers: 2,
    inject: "every",
    encoderWidth: 8,
    encoderBlocks: [1, 1, 1, 1],
  },
  preprocessing: { imageSize: 32, shortSide: 37, applyExif: true },
  vocabulary: ["<pad>", "<unk>", "<start>", "<end>", "a", "dög 🐕"],
  decoding: { firstWord: "a", maxLength: 20, beamSize: 3 },
  datasetFingerprint: "sha256:0123",
  epoch: 2,
  metrics: { validationLoss: 1.25, trainLoss: 1.5 },
  training: {
    settings: { name: "lrcn", encoderBlocks: [1, 1, 1, 1], learningRate: 1e-3 },
    seed: 7,
    examples: "sha256:4567",
    step: 3,
    sums: { loss: 0.5, lossWeight: 87, gradientNorm: 1.5 },
    validationScores: [2.5, 1.25],
  },
};

/** A sound checkpoint. Its last tensor has no elements. */
export const SOUND: Draft = {
  metadata: Object.entries(METADATA).map(([key, value]) => metadataField(key, JSON.stringify(value))),
  tensors: [...PLACED, { dtype: "I64", shape: [0, 4], begin: DATA_BYTES, end: DATA_BYTES } satisfies Placed]
    .map((placed, index) => tensorDraft(`layer.${index}`, placed)),
};

/** A field of the metadata: its value is JSON text in a JSON string. */
export function metadataField(key: string, value: string): readonly [string, string] {
  return [JSON.stringify(key), JSON.stringify(value)];
}

/** A tensor's entry. */
export function tensorDraft(name: string, { dtype, shape, begin, end }: Placed): TensorDraft {
  return {
    name: JSON.stringify(name),
    fields: [
      ['"dtype"', JSON.stringify(dtype)],
      ['"shape"', JSON.stringify(shape)],
      ['"data_offsets"', JSON.stringify([begin, end])],
    ],
  };
}

/** The draft with another value in one field of one tensor. */
export function withField(draft: Draft, tensor: number, [key, value]: readonly [string, string]): Draft {
  return withTensor(draft, tensor, ({ name, fields }) => ({
    name,
    fields: fields.map(([other, former]) => [other, other === JSON.stringify(key) ? value : former]),
  }));
}

/** The draft with one tensor changed. */
export function withTensor(draft: Draft, tensor: number, change: (tensor: TensorDraft) => TensorDraft): Draft {
  return { ...draft, tensors: draft.tensors.map((other, index) => index === tensor ? change(other) : other) };
}

/** The draft's header. */
export function headerOf({ metadata, tensors }: Draft): string {
  const entries = tensors.map(({ name, fields }) => `${name}:${objectOf(fields)}`);
  return `{${[`"__metadata__":${objectOf(metadata)}`, ...entries].join(",")}}`;
}

/** A file of a header and the elements, which are their places' numbers. */
export function fileOf(header: string | Uint8Array, dataBytes: number = DATA_BYTES): Uint8Array<ArrayBuffer> {
  const bytes = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + bytes.byteLength + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(bytes.byteLength), true);
  file.set(bytes, 8);
  for (let index = 0; index < dataBytes; index++) file[8 + bytes.byteLength + index] = index;
  return file;
}

function objectOf(fields: readonly (readonly [string, string])[]): string {
  return `{${fields.map(([key, value]) => `${key}:${value}`).join(",")}}`;
}
