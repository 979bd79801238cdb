/**
 * An image captioner that you train yourself: the model runs in libtorch, everything else is TypeScript.
 *
 * Importing this module needs no permission. Training and inference load the native library built by `deno task build`, and
 * need `--allow-ffi=native/build/liblrcn.so`. The examples run in the project's folder, with the model and the rendered
 * scenes of `docs/example`.
 *
 * @example Captioning an image
 * ```ts
 * import assert from "node:assert/strict";
 * import { Captioner, decodeImage } from "@lrcn/lrcn";
 *
 * using captioner = await Captioner.load("docs/example/model.safetensors");
 * const image = await decodeImage(await Deno.readFile("docs/example/scenes/Images/item-001.png"));
 * const [caption] = await captioner.caption([image]);
 * assert.match(caption?.caption ?? "", /two green circles/);
 * ```
 *
 * @module
 */

export * from "./src/captioning/caption.ts";
export { BAD_ENDINGS } from "./src/captioning/caption_constraints.ts";
export * from "./src/captioning/captioner.ts";
export * from "./src/captioning/decoding_options.ts";
export * from "./src/text/detokenize.ts";
export type { ExplainedWord, Explanation } from "./src/explanation/explain_words.ts";
export type { ModelMetadata, OpenModelOptions } from "./src/captioning/open_model.ts";
export {
  type Checkpoint,
  type CheckpointMetadata,
  type DecodingSettings,
  openCheckpoint,
  type Preprocessing,
  saveCheckpoint,
  type TrainingState,
} from "./src/checkpoint/checkpoint.ts";
export type { DType, StoredTensor, TensorLayout, TensorSource } from "./src/checkpoint/tensor.ts";
export type { WritableFile, WritableFileSystem, WriteAtomicOptions } from "./src/files/write_atomic.ts";
export * from "./src/evaluation/bleu.ts";
export * from "./src/evaluation/cider.ts";
export * from "./src/evaluation/evaluate_captioner.ts";
export type { ModelCaptions } from "./src/evaluation/evaluate_model.ts";
export * from "./src/text/ptb/tokenizer.ts";
export * from "./src/evaluation/rouge_l.ts";
export * from "./src/evaluation/score_captions.ts";
export { type ScoringTokenizer } from "./src/evaluation/scoring_tokenizer.ts";
export * from "./src/ffi/batch.ts";
export {
  type Architecture,
  type Encoder,
  ENCODER_STAGES,
  type EncoderName,
  ENCODERS,
  type EncoderStage,
} from "./src/ffi/encoders.ts";
export { Decoding, type NextTokens } from "./src/ffi/decoding.ts";
export { type Averaging, Engine, type Memory, type TensorInfo } from "./src/ffi/engine.ts";
export * from "./src/ffi/group.ts";
export type { ProcessGroup } from "./src/distributed/process_group.ts";
export { readRendezvous, type Rendezvous } from "./src/ffi/rendezvous.ts";
export * from "./src/ffi/settings.ts";
export { EngineError, STATUS } from "./src/ffi/status.ts";
export * from "./src/input_error.ts";
export * from "./src/data/read_captions.ts";
export * from "./src/data/dataset.ts";
export * from "./src/images/decode_image.ts";
export type { ImageDecoding } from "./src/images/preprocessing.ts";
export type { Alpha, DecodeImageOptions, RgbImage } from "./src/images/rgb_image.ts";
export {
  type CaptionData,
  type CaptionRow,
  describeRejected,
  type RejectedRow,
} from "./src/data/formats/caption_rows.ts";
export * from "./src/data/find_captions.ts";
export * from "./src/data/format_names.ts";
export { ImageError } from "./src/images/image_error.ts";
export type { ImageFile } from "./src/images/image_file.ts";
export type { OfficialSplits } from "./src/data/official_splits.ts";
export type { Recipe, ValidationMetric } from "./src/pipeline/recipe_schema.ts";
export type { EpochMetrics, StepReport } from "./src/pipeline/meter.ts";
export * from "./src/pipeline/train_captioner.ts";
export type { TrainingReporter } from "./src/pipeline/training_reporter.ts";
export type { TrainingRunResult } from "./src/pipeline/run.ts";
export type { Reporter } from "./src/reporter.ts";
export type { Validation } from "./src/pipeline/validate.ts";
export * from "./src/text/tokenizer.ts";
export * from "./src/text/vocabulary.ts";
