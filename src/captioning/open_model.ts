import {
  type CheckpointMetadata,
  isCheckpoint,
  parseMetadata,
  readCheckpointHeader,
} from "../checkpoint/checkpoint.ts";
import { inferModel, matchModel } from "../checkpoint/model_shape.ts";
import { withoutPrefix } from "../checkpoint/shared_prefix.ts";
import { byteCount, type StoredTensor } from "../checkpoint/tensor.ts";
import { vocabularyDigest } from "../checkpoint/vocabulary_digest.ts";
import { readVocabularyFile } from "../checkpoint/vocabulary_file.ts";
import { findFormat, openWeights } from "../checkpoint/weights_file.ts";
import { cannotRead, openFile } from "../files/open_file.ts";
import { printable } from "../printable.ts";
import { type CaptionVocabulary, findSpecialWords, Vocabulary } from "../text/vocabulary.ts";

const OTHER_MODEL = "its metadata describes another model, give the file as 'deno task train' wrote it";

/** The metadata that captioning needs. */
export type ModelMetadata =
  & Pick<CheckpointMetadata, "model" | "preprocessing" | "vocabulary" | "decoding">
  & Partial<Pick<CheckpointMetadata, "recipe" | "datasetFingerprint" | "splitBy" | "splitSeed" | "epoch" | "metrics">>;

/** Options of {@linkcode openModel}. */
export interface OpenModelOptions {
  /**
   * A JSON file with the vocabulary, for weights without one: another program's, or a `.pth` of PyTorch.
   *
   * @default {the checkpoint's own vocabulary}
   */
  readonly vocabulary?: string | undefined;
  /**
   * Receives a warning if the vocabulary may not belong to the weights.
   *
   * @default {none}
   */
  readonly warn?: ((line: string) => void) | undefined;
}

/** An open model: close it with `using`. */
export interface OpenModel extends Disposable {
  /** The file. */
  readonly path: string;
  /** Dimensions and settings; for a checkpoint, all its metadata. */
  readonly metadata: ModelMetadata;
  /** The vocabulary. */
  readonly vocabulary: CaptionVocabulary;
  /** The weights by name. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Opens a checkpoint; or, with a vocabulary, any file of a captioner's weights, whose dimensions are inferred from the
 * tensors.
 *
 * @throws {InputError} If a file cannot be read, does not hold a captioner, or the vocabulary does not fit.
 */
export async function openModel(path: string, options: OpenModelOptions = {}): Promise<OpenModel> {
  if (options.vocabulary !== undefined) return await openBareWeights(path, options.vocabulary, options.warn);
  using opened = new DisposableStack();
  const file = opened.use(await openFile(path));
  const header = await findFormat(path, file) === "pth" ? undefined : await readCheckpointHeader(path, file);
  if (header === undefined || !isCheckpoint(header)) {
    throw cannotRead(path, "it holds weights without a vocabulary; name the vocabulary's file with --vocabulary");
  }
  const metadata = parseMetadata(path, header.metadata);
  // Check before allocating the model that the metadata describes.
  matchModel(metadata.model, header.tensors, { source: path, advice: OTHER_MODEL });
  const vocabulary = new Vocabulary(metadata.vocabulary);
  const owner = opened.move();
  return { path, metadata, vocabulary, tensors: header.tensors, [Symbol.dispose]: () => owner.dispose() };
}

async function openBareWeights(
  path: string,
  vocabularyPath: string,
  warn: OpenModelOptions["warn"] = () => {},
): Promise<OpenModel> {
  const settings = await readVocabularyFile(vocabularyPath);
  using opened = new DisposableStack();
  const { tensors: stored, size, vocabularyDigest: digest } = opened.use(await openWeights(path));
  const tensors = withoutPrefix(stored, (name) => name === "embed.weight");
  const model = inferModel(tensors, { source: path });
  // A view in a .pth may have more elements than the file stores; do not allocate a model of that size.
  const needed = Array.from(tensors.values(), (tensor) => byteCount(tensor) ?? Infinity).reduce((a, b) => a + b, 0);
  if (needed > size) throw cannotRead(path, `its tensors take ${needed} bytes, the file has ${size}`);
  const vocabulary = findSpecialWords(settings.vocabulary);
  const metadata = { ...settings, model };
  checkVocabulary(vocabularyPath, metadata, vocabulary);
  const { length } = settings.vocabulary;
  if (digest === undefined && length < model.vocabularySize) {
    warn(
      `Warning: ${printable(vocabularyPath)} has ${length} words, and the output layer of ${printable(path)} has ` +
        `${model.vocabularySize}; if it belongs to another model, the captions are nonsense`,
    );
  } else if (digest !== undefined && digest !== await vocabularyDigest(settings.vocabulary)) {
    throw cannotRead(
      vocabularyPath,
      `its words are not those that ${path} was trained with; give the vocabulary that was exported with it`,
    );
  }
  const owner = opened.move();
  return { path, metadata, vocabulary, tensors, [Symbol.dispose]: () => owner.dispose() };
}

function checkVocabulary(path: string, { model, decoding }: ModelMetadata, vocabulary: CaptionVocabulary): void {
  const { words, pad, start, end } = vocabulary;
  if (words.length > model.vocabularySize) {
    throw cannotRead(
      path,
      `it has ${words.length} words, but the model's output layer has ${model.vocabularySize}; give the vocabulary that it was trained with`,
    );
  }
  if (decoding.firstWord === undefined) {
    if (start !== undefined && end !== undefined) return;
    throw cannotRead(
      path,
      "it has no '<start>' and '<end>'; for a model of the notebook, give the word that captions begin with as " +
        '{"words": ..., "decoding": {"firstWord": "a"}}',
    );
  }
  if (model.inject === "every") {
    throw cannotRead(
      path,
      '"firstWord" is for models whose image comes first, but this one takes it at every step; remove it',
    );
  }
  if (pad === undefined) {
    throw cannotRead(path, "it has no '<pad>', which ends captions that begin with a \"firstWord\"");
  }
}
