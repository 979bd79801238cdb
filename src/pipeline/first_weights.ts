import { openCheckpoint } from "../checkpoint/checkpoint.ts";
import { loadEncoderWeights } from "../checkpoint/encoder_weights.ts";
import { loadModel } from "../checkpoint/model_state.ts";
import { withNewWords } from "../checkpoint/new_words.ts";
import type { Engine } from "../ffi/engine.ts";
import { InputError } from "../input_error.ts";
import type { Vocabulary } from "../text/vocabulary.ts";

/** Options of {@linkcode loadFirstWeights}. */
export interface FirstWeightsOptions {
  /** A file with pretrained weights of the encoder. */
  readonly encoderWeights?: string | undefined;
  /** A checkpoint of the whole model. */
  readonly initialWeights?: string | undefined;
  /** The checkpoint's vocabulary, if the model's extends it. */
  readonly initialWords?: readonly string[] | undefined;
  readonly vocabulary: Vocabulary;
  /** Standard deviation of the random word embeddings. */
  readonly embeddingStd: number;
  readonly note: (line: string) => void;
}

/**
 * Loads the weights that a new run starts from. Parameters that no file has keep their random initialization.
 *
 * @throws {InputError} If a file cannot be read, or its model or vocabulary differs.
 */
export async function loadFirstWeights(engine: Engine, options: FirstWeightsOptions): Promise<void> {
  const { encoderWeights, initialWeights, vocabulary, note } = options;
  const { initialWords = vocabulary.words } = options;
  await scaleEmbeddings(engine, options.embeddingStd);
  if (encoderWeights !== undefined) {
    const { tensors, skipped } = await loadEncoderWeights(engine, encoderWeights);
    const rest = skipped.length > 0 ? `; skipped: ${skipped.join(", ")} (the classifier)` : "";
    note(`Encoder: ${tensors} tensors from ${encoderWeights}${rest}`);
  }
  if (initialWeights === undefined) return;
  using checkpoint = await openCheckpoint(initialWeights);
  const { vocabulary: theirs, epoch } = checkpoint.metadata;
  const isFrom = (words: readonly string[]) =>
    theirs.length === words.length && theirs.every((word, id) => word === words[id]);
  if (!isFrom(initialWords) && !isFrom(vocabulary.words)) {
    throw new InputError(
      `Cannot start from '${initialWeights}': its vocabulary is not that of this data; give it the data that it was trained on`,
    );
  }
  const fresh = vocabulary.size - theirs.length;
  const tensors = await withNewWords(engine, checkpoint.tensors, { known: theirs.length, fresh });
  await loadModel(engine, tensors, { source: initialWeights });
  const trained = epoch === 0 ? "" : `, after epoch ${epoch}`;
  note(`Model: ${initialWeights}${trained}${fresh === 0 ? "" : `, with ${fresh} new words`}`);
}

/** Scales the word embeddings, which the engine initializes with a standard deviation of 1. */
async function scaleEmbeddings(engine: Engine, factor: number): Promise<void> {
  const tensor = (await engine.tensors()).find(({ name }) => name === "embed.weight");
  if (tensor === undefined || factor === 1) return;
  const { buffer } = await engine.read(tensor);
  const values = tensor.dtype === "F64" ? new Float64Array(buffer) : new Float32Array(buffer);
  for (const [index, value] of values.entries()) values[index] = value * factor;
  await engine.write(tensor.name, new Uint8Array(values.buffer));
}
