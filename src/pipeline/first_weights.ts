/**
 * What a model knows before its first step.
 *
 * @module
 */

import { openCheckpoint } from "../checkpoint/checkpoint.ts";
import { loadEncoderWeights } from "../checkpoint/encoder_weights.ts";
import { loadModel } from "../checkpoint/model_state.ts";
import type { Engine } from "../ffi/engine.ts";
import { InputError } from "../input_error.ts";
import type { Vocabulary } from "../text/vocabulary.ts";

/** Options of {@linkcode loadFirstWeights}. */
export interface FirstWeightsOptions {
  /** A file of the encoder's weights, or undefined for an encoder from scratch. */
  readonly encoderWeights?: string | undefined;
  /** A checkpoint of the whole model, or undefined for a new one. */
  readonly initialWeights?: string | undefined;
  /** The words that the model is to write. */
  readonly vocabulary: Vocabulary;
  /** Takes a line for the user. */
  readonly note: (line: string) => void;
}

/**
 * Sets a model to what it begins with; what no file gives stays as it was drawn.
 *
 * @param engine The model.
 * @param options See {@linkcode FirstWeightsOptions}.
 * @throws {InputError} If a file cannot be read, or is of another model or of other words.
 */
export async function loadFirstWeights(engine: Engine, options: FirstWeightsOptions): Promise<void> {
  const { encoderWeights, initialWeights, vocabulary, note } = options;
  if (encoderWeights !== undefined) {
    const { tensors, skipped } = await loadEncoderWeights(engine, encoderWeights);
    const rest = skipped.length > 0 ? `; left out: ${skipped.join(", ")} (the classifier)` : "";
    note(`CNN: ${tensors} tensors from ${encoderWeights}${rest}`);
  }
  if (initialWeights === undefined) return;
  using checkpoint = await openCheckpoint(initialWeights);
  const { words } = vocabulary;
  const { vocabulary: theirs, epoch } = checkpoint.metadata;
  if (theirs.length !== words.length || theirs.some((word, id) => word !== words[id])) {
    throw new InputError(
      `Cannot begin with '${initialWeights}': its words are not those of this data; give it the data that it was trained on`,
    );
  }
  await loadModel(engine, checkpoint.tensors, { source: initialWeights });
  note(`Model: ${initialWeights}, after epoch ${epoch}`);
}
