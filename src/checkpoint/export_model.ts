import { fileErrorReason } from "../files/file_error.ts";
import { InputError } from "../input_error.ts";
import { averageModels } from "./average_models.ts";
import { type CheckpointMetadata, openCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import { convertFloats, type FloatType, isFloatType } from "./float_types.ts";
import { matchModel } from "./model_shape.ts";
import { writePth } from "./pth.ts";
import { writeSafetensors } from "./safetensors.ts";
import type { TensorSource } from "./tensor.ts";
import { VOCABULARY_DIGEST, vocabularyDigest } from "./vocabulary_digest.ts";
import { writeVocabularyFile } from "./vocabulary_file.ts";
import type { WeightsFormat } from "./weights_file.ts";

/**
 * The formats to export to: PyTorch's state_dict as `.pth` or safetensors, or a checkpoint of this program, which holds
 * everything that captioning needs.
 */
export const EXPORT_FORMATS = [
  "pth",
  "safetensors",
  "checkpoint",
] as const satisfies readonly (WeightsFormat | "checkpoint")[];

/** One of them. */
export type ExportFormat = typeof EXPORT_FORMATS[number];

/** The float types to export in, by PyTorch's names. */
export const EXPORT_TYPES = {
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
} as const satisfies Record<string, FloatType>;

/** One of their names. */
export type ExportType = keyof typeof EXPORT_TYPES;

/** Their names. */
export const EXPORT_TYPE_NAMES = ["float32", "float16", "bfloat16"] as const satisfies readonly ExportType[];

/** A checkpoint to average with, and its fraction of the average from 0 to 1. */
export interface AverageWith {
  readonly checkpoint: string;
  readonly fraction: number;
}

export interface ExportModelOptions {
  /** The file for the weights. */
  readonly out: string;
  /**
   * The format of the weights.
   *
   * @default {from the extension of `out`: `.pth`, `.pt` or `.safetensors`}
   */
  readonly format?: ExportFormat | undefined;
  /**
   * The float type of the weights.
   *
   * @default {that of the checkpoint}
   */
  readonly dtype?: ExportType | undefined;
  /**
   * Average the weights with those of a checkpoint that was trained from this one, or the other way round.
   *
   * @default {undefined}
   */
  readonly average?: AverageWith | undefined;
  /**
   * The model's metrics, to keep in a checkpoint.
   *
   * @default {those of the checkpoint; none of an average}
   */
  readonly metrics?: CheckpointMetadata["metrics"] | undefined;
  /**
   * The file for the vocabulary; a checkpoint has none.
   *
   * @default {`out` with the extension `.vocab.json`}
   */
  readonly vocabulary?: string | undefined;
  /**
   * Replace existing files.
   *
   * @default {false}
   */
  readonly force?: boolean | undefined;
}

export interface ExportedModel {
  readonly out: string;
  readonly format: ExportFormat;
  /** Number of tensors. */
  readonly tensors: number;
  /** The vocabulary's file; undefined if it is in the checkpoint. */
  readonly vocabulary: string | undefined;
  /** Number of words. */
  readonly words: number;
}

/**
 * Exports a checkpoint's parameters and buffers as a state_dict, with PyTorch's names and order, and the vocabulary, as
 * read by `readVocabularyFile()`; or both as a checkpoint. The weights contain a digest of the vocabulary. The training state is omitted. Each file is written atomically. The same checkpoint
 * gives the same bytes.
 *
 * @throws {InputError} If the checkpoint cannot be read, a weight is too large for the float type, or a file exists
 * already or cannot be written.
 */
export async function exportModel(checkpoint: string, options: ExportModelOptions): Promise<ExportedModel> {
  const { out, dtype, average, force = false } = options;
  const format = options.format ?? formatOf(out);
  if (format === "checkpoint" && options.vocabulary !== undefined) {
    throw new InputError("Cannot export the vocabulary to its own file: a checkpoint contains it; omit --vocabulary");
  }
  const vocabulary = format === "checkpoint" ? undefined : options.vocabulary ?? `${withoutEnding(out)}.vocab.json`;
  using source = await openCheckpoint(checkpoint);
  using other = average === undefined ? undefined : await openCheckpoint(average.checkpoint);
  const { training: _state, ...stored } = source.metadata;
  const { model, vocabulary: words, preprocessing, decoding } = stored;
  const matched = matchModel(model, source.tensors, { source: checkpoint });
  const sources = average === undefined ? [checkpoint] : [checkpoint, average.checkpoint];
  const created = await checkTargets(sources, vocabulary === undefined ? [out] : [out, vocabulary], force);
  // Weights without their vocabulary would look like an export, and be in the way of the next.
  await using undo = new AsyncDisposableStack();
  for (const path of created) undo.defer(() => Deno.remove(path).catch(() => {}));

  const given = average === undefined || other === undefined
    ? Array.from(matched, ([name, tensor]) => ({ ...tensor, name }))
    : averageModels(
      { path: checkpoint, metadata: stored, tensors: matched },
      {
        path: average.checkpoint,
        metadata: other.metadata,
        tensors: matchModel(other.metadata.model, other.tensors, { source: average.checkpoint }),
      },
      average.fraction,
    );
  const tensors = given.map((tensor) => convert(tensor, dtype));
  // The metrics of a model are not those of its average with another.
  const { metrics = average === undefined ? stored.metrics : {} } = options;
  const metadata = { ...stored, metrics };
  const digest = await vocabularyDigest(words);
  if (format === "pth") await writePth(out, tensors, { vocabularyDigest: digest });
  else if (format === "checkpoint") await saveCheckpoint(out, { metadata, tensors });
  else await writeSafetensors(out, { metadata: { format: "pt", [VOCABULARY_DIGEST]: digest }, tensors });
  if (vocabulary !== undefined) await writeVocabularyFile(vocabulary, { vocabulary: words, preprocessing, decoding });
  undo.move();
  return { out, format, tensors: tensors.length, vocabulary, words: words.length };
}

function convert(tensor: TensorSource, type: ExportType | undefined): TensorSource {
  const { name, dtype: from } = tensor;
  if (type === undefined || !isFloatType(from)) return tensor;
  const to = EXPORT_TYPES[type];
  return {
    ...tensor,
    dtype: to,
    async read() {
      const bytes = await tensor.read();
      const converted = convertFloats(bytes, from, to);
      if (countInfinite(converted, to) > countInfinite(bytes, from)) {
        throw new InputError(
          `Cannot export in ${type}: a weight of '${name}' is too large for it; use --dtype bfloat16`,
        );
      }
      return converted;
    },
  };
}

function countInfinite(bytes: Uint8Array<ArrayBuffer>, type: FloatType): number {
  const values = new Float32Array(convertFloats(bytes, type, "F32").buffer);
  return values.reduce((count, value) => count + Number(Math.abs(value) === Infinity), 0);
}

function formatOf(out: string): WeightsFormat {
  if (/\.(pth|pt)$/i.test(out)) return "pth";
  if (/\.safetensors$/i.test(out)) return "safetensors";
  throw new InputError(`Cannot export to '${out}': its extension names no format; give --format pth or safetensors`);
}

function withoutEnding(path: string): string {
  return path.replace(/(?<=[^/\\])\.[^./\\]*$/, "");
}

/** Checks before writing that no existing file is lost, least of all a checkpoint; returns the files to be created. */
async function checkTargets(sources: readonly string[], targets: readonly string[], force: boolean): Promise<string[]> {
  const created: string[] = [];
  const taken = await Promise.all(sources.map(identity));
  for (const target of targets) {
    const file = await identity(target);
    if (taken.includes(file)) {
      throw new InputError(
        `Cannot export to '${target}': the checkpoint, the weights and the vocabulary must be different files; choose another`,
      );
    }
    taken.push(file);
    if (file === target) created.push(target);
    else if (!force) {
      throw new InputError(
        `Cannot export to '${target}': it exists already; choose another or replace it with --force`,
      );
    }
  }
  return created;
}

/** Equal for two paths of one file: device and inode if it exists, else the path. */
async function identity(path: string): Promise<string> {
  try {
    const { dev, ino } = await Deno.stat(path);
    return `${dev} ${ino}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return path;
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new InputError(`Cannot use '${path}': ${fileErrorReason(error)}`, { cause: error });
  }
}
