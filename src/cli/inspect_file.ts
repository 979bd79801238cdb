import { type CheckpointMetadata, isCheckpoint, parseMetadata } from "../checkpoint/checkpoint.ts";
import { isTrainingTensor } from "../checkpoint/model_shape.ts";
import type { DType } from "../checkpoint/tensor.ts";
import { openWeights, type WeightsFormat } from "../checkpoint/weights_file.ts";
import { printable } from "../printable.ts";

/** A tensor in the listing. */
export interface InspectedTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** The result of {@linkcode inspectFile}. */
export interface Inspection {
  readonly file: string;
  readonly format: WeightsFormat;
  readonly bytes: number;
  /** Number of trainable parameters: without BatchNorm statistics and optimizer state. */
  readonly parameters: number;
  /** Metadata of a checkpoint; null for another program's file. */
  readonly checkpoint: CheckpointMetadata | null;
  /** Metadata of another program's safetensors file. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The tensors, in file order. */
  readonly tensors: readonly InspectedTensor[];
}

const FIRST_WORDS = 12;
const NAME_CHARACTERS = 120;
const VALUE_CHARACTERS = 4000;
const STATISTICS = /(^|\.)(running_mean|running_var|num_batches_tracked)$/;

/**
 * Reads the metadata of a checkpoint, another program's safetensors file or a PyTorch `.pth`; no tensor is read.
 *
 * @throws {InputError} If the file cannot be read, or has another format.
 */
export async function inspectFile(path: string): Promise<Inspection> {
  using weights = await openWeights(path);
  const tensors = Array.from(weights.tensors, ([name, { dtype, shape }]) => ({ name, dtype, shape }));
  return {
    file: path,
    format: weights.format,
    bytes: weights.size,
    parameters: tensors.filter(isParameter).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    checkpoint: isCheckpoint(weights) ? parseMetadata(path, weights.metadata) : null,
    metadata: isCheckpoint(weights) ? {} : { ...weights.metadata },
    tensors,
  };
}

function isParameter({ name }: InspectedTensor): boolean {
  return !STATISTICS.test(name) && !isTrainingTensor(name);
}

/** Formats an inspection as text: a line for each fact, then one for each tensor. */
export function describeInspection(inspection: Inspection): string {
  const { file, format, bytes, parameters, checkpoint, metadata, tensors } = inspection;
  const facts: [string, string][] = [
    ["file", file],
    ["format", checkpoint === null ? format : `checkpoint (${format})`],
    ["bytes", grouped(bytes)],
    ...(checkpoint === null ? Object.entries(metadata) : checkpointFacts(checkpoint)),
    ["parameters", grouped(parameters)],
    ["tensors", grouped(tensors.length)],
  ];
  const rows = tensors.map(({ name, dtype, shape }) => [shown(name), dtype, `[${shape.join(", ")}]`]);
  const lines = facts.map(([key, value]) => [shown(key), shown(value, VALUE_CHARACTERS)]);
  return [...aligned(lines), "", ...aligned(rows)].join("\n").trimEnd();
}

function checkpointFacts(checkpoint: CheckpointMetadata): [string, string][] {
  const {
    recipe,
    epoch,
    model,
    preprocessing,
    decoding,
    metrics,
    vocabulary,
    datasetFingerprint,
    training,
    splitSeed,
  } = checkpoint;
  const more = vocabulary.length > FIRST_WORDS ? " ..." : "";
  return [
    ["recipe", recipe],
    ["epoch", epoch === 0 ? "none complete" : `${epoch}`],
    ["model", settings(model)],
    ["preprocessing", settings(preprocessing)],
    ["decoding", settings(decoding)],
    ["metrics", settings(metrics)],
    ["vocabulary", `${grouped(vocabulary.length)} words: ${vocabulary.slice(0, FIRST_WORDS).join(" ")}${more}`],
    ["dataset", `${datasetFingerprint}${splitSeed === undefined ? "" : `, split by seed ${splitSeed}`}`],
    ...(training === undefined ? [] : [
      ["training", `seed ${training.seed}, ${training.step} steps into the next epoch`],
      ["settings", settings(training.settings)],
      ["validationScores", training.validationScores.join(", ")],
      ["examples", training.examples],
    ] satisfies [string, string][]),
  ];
}

function settings(values: object): string {
  const word = (value: unknown) => typeof value === "string" ? value : JSON.stringify(value);
  return Object.entries(values).map(([key, value]) => `${key} ${word(value)}`).join(", ");
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

// Text from an untrusted file may be as long as the file. A listing shows invisible characters too, such as lone surrogates.
function shown(word: string, characters = NAME_CHARACTERS): string {
  const escaped = printable(word.slice(0, characters + 1))
    .replaceAll(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  return escaped.length <= characters ? escaped : `${escaped.slice(0, characters)}...`;
}

/** Pads all columns but the last to their widest cell. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.slice(0, -1).entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd());
}
