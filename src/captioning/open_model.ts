/**
 * A model as files hold it, with all that captioning needs: a checkpoint, or weights and a vocabulary.
 *
 * @module
 */

import { type CheckpointMetadata, openCheckpoint } from "../checkpoint/checkpoint.ts";
import { inferModel, matchModel } from "../checkpoint/model_shape.ts";
import { byteCount, type StoredTensor } from "../checkpoint/tensor.ts";
import { readVocabularyFile } from "../checkpoint/vocabulary_file.ts";
import { findFormat, isCheckpoint, openWeights } from "../checkpoint/weights_file.ts";
import { cannotRead } from "../files/open_file.ts";
import { InputError } from "../input_error.ts";
import { Vocabulary } from "../text/vocabulary.ts";
import { type CaptionVocabulary, findSpecialWords } from "../text/caption_vocabulary.ts";

const OTHER_MODEL = "its metadata describes another model, give the file as 'deno task train' wrote it";

/** What captioning must know of a model besides its weights. */
export type ModelMetadata =
  & Pick<CheckpointMetadata, "model" | "preprocessing" | "vocabulary" | "decoding">
  & Partial<Pick<CheckpointMetadata, "recipe" | "datasetFingerprint" | "splitBy" | "splitSeed">>;

/** Options of {@linkcode openModel}. */
export interface OpenModelOptions {
  /**
   * A JSON file of words, for weights that stand alone: another program's, or a file of PyTorch.
   *
   * @default {the checkpoint's own words}
   */
  readonly vocabulary?: string | undefined;
}

/** An open model: close it with `using`. */
export interface OpenModel extends Disposable {
  /** Dimensions and settings; a checkpoint's metadata whole. */
  readonly metadata: ModelMetadata;
  /** The words. */
  readonly vocabulary: CaptionVocabulary;
  /** The weights by name. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Opens a checkpoint, or with a vocabulary any file with a captioner's weights, whose dimensions are then read from its
 * tensors.
 *
 * @param path The file.
 * @param options See {@linkcode OpenModelOptions}.
 * @returns The model.
 * @throws {InputError} If a file cannot be read, is no captioner's, or the vocabulary does not fit.
 */
export async function openModel(path: string, options: OpenModelOptions = {}): Promise<OpenModel> {
  if (options.vocabulary !== undefined) return await openBareWeights(path, options.vocabulary);
  if (await isWithoutWords(path)) {
    throw cannotRead(path, "it holds weights without words; name the file of their words by --vocabulary");
  }
  const checkpoint = await openCheckpoint(path);
  try {
    const { metadata, tensors } = checkpoint;
    // Before memory is taken for the model that it says it holds.
    matchModel(metadata.model, tensors, { source: path, advice: OTHER_MODEL });
    const vocabulary = new Vocabulary(metadata.vocabulary);
    return { metadata, vocabulary, tensors, [Symbol.dispose]: () => checkpoint[Symbol.dispose]() };
  } catch (error) {
    checkpoint[Symbol.dispose]();
    throw error;
  }
}

async function openBareWeights(path: string, vocabularyPath: string): Promise<OpenModel> {
  const settings = await readVocabularyFile(vocabularyPath);
  const weights = await openWeights(path);
  try {
    const { tensors, size } = weights;
    const model = inferModel(tensors, { source: path });
    // A view in a file of PyTorch may have more elements than it stores, and a model as large would be made.
    const needed = Array.from(tensors.values(), (tensor) => byteCount(tensor) ?? Infinity).reduce((a, b) => a + b, 0);
    if (needed > size) throw cannotRead(path, `its tensors take ${needed} bytes, the file has ${size}`);
    const vocabulary = findSpecialWords(settings.vocabulary);
    const metadata = { ...settings, model };
    checkVocabulary(vocabularyPath, metadata, vocabulary);
    return { metadata, vocabulary, tensors, [Symbol.dispose]: () => weights[Symbol.dispose]() };
  } catch (error) {
    weights[Symbol.dispose]();
    throw error;
  }
}

function checkVocabulary(path: string, { model, decoding }: ModelMetadata, vocabulary: CaptionVocabulary): void {
  const { words, pad, start, end } = vocabulary;
  if (words.length > model.vocabularySize) {
    throw cannotRead(
      path,
      `it has ${words.length} words, but the model knows ${model.vocabularySize}; give the vocabulary it was trained with`,
    );
  }
  if (decoding.firstWord === undefined) {
    if (start !== undefined && end !== undefined) return;
    throw cannotRead(
      path,
      "it has no '<start>' and '<end>'; for a model that begins with a word, as the notebook's does, give it as " +
        '{"words": ..., "decoding": {"firstWord": "a"}}',
    );
  }
  if (model.inject === "every") {
    throw cannotRead(
      path,
      '"firstWord" is for models whose image comes first, but this one sees it at every word; leave it out',
    );
  }
  if (pad === undefined) {
    throw cannotRead(path, "it has no '<pad>', which ends captions that begin with a \"firstWord\"");
  }
}

/** Whether it is a file of PyTorch, or a sound safetensors file of another program. */
async function isWithoutWords(path: string): Promise<boolean> {
  if ((await findFormat(path)).format === "pth") return true;
  try {
    using weights = await openWeights(path);
    return !isCheckpoint(weights);
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}
