/**
 * From a checkpoint to weights that other programs read, and a vocabulary beside them.
 *
 * @module
 */

import { fileErrorReason } from "../files/file_error.ts";
import { InputError } from "../input_error.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { matchModel } from "./model_shape.ts";
import { writePth } from "./pth.ts";
import { writeSafetensors } from "./safetensors.ts";
import { writeVocabularyFile } from "./vocabulary_file.ts";
import type { WeightsFormat } from "./weights_file.ts";

/** Options of {@linkcode exportModel}. */
export interface ExportModelOptions {
  /** Where the weights shall be. */
  readonly out: string;
  /**
   * The weights' format.
   *
   * @default {by the ending of `out`: `.pth`, `.pt` or `.safetensors`}
   */
  readonly format?: WeightsFormat | undefined;
  /**
   * Where the vocabulary shall be.
   *
   * @default {`out` with `.vocab.json` in the place of its ending}
   */
  readonly vocabulary?: string | undefined;
  /**
   * Whether files that are there may be replaced.
   *
   * @default {false}
   */
  readonly force?: boolean | undefined;
}

/** What {@linkcode exportModel} wrote. */
export interface ExportedModel {
  /** The weights' file. */
  readonly out: string;
  /** Its format. */
  readonly format: WeightsFormat;
  /** Tensors in it. */
  readonly tensors: number;
  /** The vocabulary's file. */
  readonly vocabulary: string;
  /** Words in it. */
  readonly words: number;
}

/**
 * Writes a checkpoint's parameters and buffers as a state_dict, by PyTorch's names and in PyTorch's order, without what
 * a training goes on with; and the words, as `readVocabularyFile()` takes them. Each file is written whole or not at all.
 * The same checkpoint gives the same bytes.
 *
 * @param checkpoint The checkpoint's file.
 * @param options See {@linkcode ExportModelOptions}.
 * @returns What was written.
 * @throws {InputError} The checkpoint cannot be read, or a file is there already or cannot be written.
 */
export async function exportModel(checkpoint: string, options: ExportModelOptions): Promise<ExportedModel> {
  const { out, force = false } = options;
  const format = options.format ?? formatOf(out);
  const vocabulary = options.vocabulary ?? `${withoutEnding(out)}.vocab.json`;
  using source = await openCheckpoint(checkpoint);
  const { model, vocabulary: words, preprocessing, decoding } = source.metadata;
  const matched = matchModel(model, source.tensors, { source: checkpoint });
  await checkPlaces(checkpoint, [out, vocabulary], force);

  const tensors = Array.from(matched, ([name, tensor]) => ({ ...tensor, name }));
  if (format === "pth") await writePth(out, tensors);
  else await writeSafetensors(out, { metadata: { format: "pt" }, tensors });
  await writeVocabularyFile(vocabulary, { vocabulary: words, preprocessing, decoding });
  return { out, format, tensors: tensors.length, vocabulary, words: words.length };
}

function formatOf(out: string): WeightsFormat {
  if (/\.(pth|pt)$/i.test(out)) return "pth";
  if (/\.safetensors$/i.test(out)) return "safetensors";
  throw new InputError(`Cannot export to '${out}': its ending tells no format; give --format pth or safetensors`);
}

function withoutEnding(path: string): string {
  return path.replace(/(?<=[^/\\])\.[^./\\]*$/, "");
}

/** Before anything is written: no file that is there may be lost, the checkpoint least of all. */
async function checkPlaces(checkpoint: string, places: readonly string[], force: boolean): Promise<void> {
  const taken = [await identity(checkpoint)];
  for (const place of places) {
    const file = await identity(place);
    if (taken.includes(file)) {
      throw new InputError(
        `Cannot export to '${place}': the checkpoint, the weights and the vocabulary must be three files; choose another`,
      );
    }
    taken.push(file);
    if (file !== place && !force) {
      throw new InputError(`Cannot export to '${place}': it is there already; choose another or replace it by --force`);
    }
  }
}

/** The same for two paths of one file: device and number where it is there, else the path. */
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
