/**
 * What a file of weights holds, for `deno task inspect`.
 *
 * @module
 */

import { type CheckpointMetadata, openCheckpoint } from "../checkpoint/checkpoint.ts";
import { isTrainingTensor } from "../checkpoint/model_shape.ts";
import type { DType } from "../checkpoint/tensor.ts";
import { isCheckpoint, openWeights, type WeightsFormat } from "../checkpoint/weights_file.ts";

/** A tensor as it is listed. */
export interface InspectedTensor {
  /** Its name. */
  readonly name: string;
  /** Its element type. */
  readonly dtype: DType;
  /** Its dimensions. */
  readonly shape: readonly number[];
}

/** What {@linkcode inspectFile} finds. */
export interface Inspection {
  /** The file. */
  readonly file: string;
  /** Its format. */
  readonly format: WeightsFormat;
  /** Its size. */
  readonly bytes: number;
  /** Elements of the tensors that a model learns: neither BatchNorm's statistics nor what a training goes on with. */
  readonly parameters: number;
  /** What a checkpoint says of itself; null for another program's file. */
  readonly checkpoint: CheckpointMetadata | null;
  /** The words beside the tensors of another program's safetensors file. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Its tensors in the order of the file. */
  readonly tensors: readonly InspectedTensor[];
}

const FIRST_WORDS = 12;
const NAME_CHARACTERS = 120;
// Settings and words of a real checkpoint take far fewer.
const VALUE_CHARACTERS = 4000;
const STATISTICS = /(^|\.)(running_mean|running_var|num_batches_tracked)$/;

/**
 * Reads what a file says of itself; no tensor's elements are read.
 *
 * @param path The file: a checkpoint, another program's safetensors, or a `.pth` of PyTorch.
 * @returns What it holds.
 * @throws {InputError} The file cannot be read, or is none of them.
 */
export async function inspectFile(path: string): Promise<Inspection> {
  using weights = await openWeights(path);
  const tensors = Array.from(weights.tensors, ([name, { dtype, shape }]) => ({ name, dtype, shape }));
  return {
    file: path,
    format: weights.format,
    bytes: weights.size,
    parameters: tensors.filter(isParameter).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    checkpoint: isCheckpoint(weights) ? await checkpointMetadata(path) : null,
    metadata: isCheckpoint(weights) ? {} : { ...weights.metadata },
    tensors,
  };
}

async function checkpointMetadata(path: string): Promise<CheckpointMetadata> {
  using checkpoint = await openCheckpoint(path);
  return checkpoint.metadata;
}

function isParameter({ name }: InspectedTensor): boolean {
  return !STATISTICS.test(name) && !isTrainingTensor(name);
}

/**
 * Puts into lines what was found.
 *
 * @param inspection What {@linkcode inspectFile} found.
 * @returns The text: a line for each fact, then one for each tensor.
 */
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
  const rows = tensors.map(({ name, dtype, shape }) => [printable(name), dtype, `[${shape.join(", ")}]`]);
  const lines = facts.map(([key, value]) => [printable(key), printable(value, VALUE_CHARACTERS)]);
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
    ["epoch", `${epoch}`],
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

/** A stranger's word could move the cursor or color the terminal, and be as long as the file. */
function printable(word: string, characters = NAME_CHARACTERS): string {
  const escaped = word.slice(0, characters + 1)
    .replaceAll(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  return escaped.length <= characters ? escaped : `${escaped.slice(0, characters)}...`;
}

/** Columns as wide as their widest cell; the last one is left as it is. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.slice(0, -1).entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd());
}
