import { openCheckpoint } from "../checkpoint/checkpoint.ts";
import { loadEncoderWeights } from "../checkpoint/encoder_weights.ts";
import { loadModel } from "../checkpoint/model_state.ts";
import type { Engine } from "../ffi/engine.ts";
import { InputError } from "../input_error.ts";
import type { Vocabulary } from "../text/vocabulary.ts";

/** Options of {@linkcode loadFirstWeights}. */
export interface FirstWeightsOptions {
  /** A file with pretrained weights of the encoder. */
  readonly encoderWeights?: string | undefined;
  /** A checkpoint of the whole model. */
  readonly initialWeights?: string | undefined;
  readonly vocabulary: Vocabulary;
  readonly note: (line: string) => void;
}

/**
 * Loads the weights that a new run starts from. Parameters that no file has keep their random initialization.
 *
 * @throws {InputError} If a file cannot be read, or its model or vocabulary differs.
 */
export async function loadFirstWeights(engine: Engine, options: FirstWeightsOptions): Promise<void> {
  const { encoderWeights, initialWeights, vocabulary, note } = options;
  if (encoderWeights !== undefined) {
    const { tensors, skipped } = await loadEncoderWeights(engine, encoderWeights);
    const rest = skipped.length > 0 ? `; skipped: ${skipped.join(", ")} (the classifier)` : "";
    note(`Encoder: ${tensors} tensors from ${encoderWeights}${rest}`);
  }
  if (initialWeights === undefined) return;
  using checkpoint = await openCheckpoint(initialWeights);
  const { words } = vocabulary;
  const { vocabulary: theirs, epoch } = checkpoint.metadata;
  if (theirs.length !== words.length || theirs.some((word, id) => word !== words[id])) {
    throw new InputError(
      `Cannot start from '${initialWeights}': its vocabulary is not that of this data; give it the data that it was trained on`,
    );
  }
  await loadModel(engine, checkpoint.tensors, { source: initialWeights });
  note(`Model: ${initialWeights}, after epoch ${epoch}`);
}
