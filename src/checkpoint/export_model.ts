import { fileErrorReason } from "../files/file_error.ts";
import { InputError } from "../input_error.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { matchModel } from "./model_shape.ts";
import { writePth } from "./pth.ts";
import { writeSafetensors } from "./safetensors.ts";
import { writeVocabularyFile } from "./vocabulary_file.ts";
import type { WeightsFormat } from "./weights_file.ts";

export interface ExportModelOptions {
  /** The file for the weights. */
  readonly out: string;
  /**
   * The format of the weights.
   *
   * @default {from the extension of `out`: `.pth`, `.pt` or `.safetensors`}
   */
  readonly format?: WeightsFormat | undefined;
  /**
   * The file for the vocabulary.
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
  readonly format: WeightsFormat;
  /** Number of tensors. */
  readonly tensors: number;
  readonly vocabulary: string;
  /** Number of words. */
  readonly words: number;
}

/**
 * Exports a checkpoint's parameters and buffers as a state_dict, with PyTorch's names and order, without the training
 * state; and the vocabulary, as read by `readVocabularyFile()`. Each file is written atomically. The same checkpoint
 * gives the same bytes.
 *
 * @throws {InputError} If the checkpoint cannot be read, or a file exists already or cannot be written.
 */
export async function exportModel(checkpoint: string, options: ExportModelOptions): Promise<ExportedModel> {
  const { out, force = false } = options;
  const format = options.format ?? formatOf(out);
  const vocabulary = options.vocabulary ?? `${withoutEnding(out)}.vocab.json`;
  using source = await openCheckpoint(checkpoint);
  const { model, vocabulary: words, preprocessing, decoding } = source.metadata;
  const matched = matchModel(model, source.tensors, { source: checkpoint });
  await checkTargets(checkpoint, [out, vocabulary], force);

  const tensors = Array.from(matched, ([name, tensor]) => ({ ...tensor, name }));
  if (format === "pth") await writePth(out, tensors);
  else await writeSafetensors(out, { metadata: { format: "pt" }, tensors });
  await writeVocabularyFile(vocabulary, { vocabulary: words, preprocessing, decoding });
  return { out, format, tensors: tensors.length, vocabulary, words: words.length };
}

function formatOf(out: string): WeightsFormat {
  if (/\.(pth|pt)$/i.test(out)) return "pth";
  if (/\.safetensors$/i.test(out)) return "safetensors";
  throw new InputError(`Cannot export to '${out}': its extension names no format; give --format pth or safetensors`);
}

function withoutEnding(path: string): string {
  return path.replace(/(?<=[^/\\])\.[^./\\]*$/, "");
}

/** Checked before writing, so that no existing file is lost, least of all the checkpoint. */
async function checkTargets(checkpoint: string, targets: readonly string[], force: boolean): Promise<void> {
  const taken = [await identity(checkpoint)];
  for (const target of targets) {
    const file = await identity(target);
    if (taken.includes(file)) {
      throw new InputError(
        `Cannot export to '${target}': the checkpoint, the weights and the vocabulary must be three files; choose another`,
      );
    }
    taken.push(file);
    if (file !== target && !force) {
      throw new InputError(
        `Cannot export to '${target}': it exists already; choose another or replace it with --force`,
      );
    }
  }
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
