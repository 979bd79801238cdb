/**
 * An image captioner that you train yourself: the model runs in libtorch, everything else is TypeScript. Parts of it are
 * `@lrcn/lrcn/metrics` (scores of captions), `@lrcn/lrcn/data` (datasets, tokens), `@lrcn/lrcn/images` (decoding) and
 * `@lrcn/lrcn/engine` (the model itself).
 *
 * Importing it needs no permission; what computes needs `--allow-ffi=native/build/liblrcn.so`, built by `deno task build`. See
 * {@linkcode Captioner}, {@linkcode trainCaptioner} and {@linkcode evaluateCaptioner}.
 *
 * @module
 */

export type { Caption, TokenSequence } from "./src/captioning/caption.ts";
export { BAD_ENDINGS } from "./src/captioning/caption_constraints.ts";
export {
  Captioner,
  type CaptionerOptions,
  type CaptionInput,
  type CaptionOptions,
  type PreparedImage,
} from "./src/captioning/captioner.ts";
export type { DecodingOptions, DiversityOptions, SamplingOptions } from "./src/captioning/decoding_options.ts";
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
export {
  type CaptionedExample,
  type Dataset,
  type DatasetOptions,
  type Example,
  readDataset,
} from "./src/data/dataset.ts";
export {
  type CaptionerEvaluation,
  evaluateCaptioner,
  type EvaluateCaptionerOptions,
} from "./src/evaluation/evaluate_captioner.ts";
export type { ModelCaptions } from "./src/evaluation/evaluate_model.ts";
export type { ExplainedWord, Explanation } from "./src/explanation/explain_words.ts";
export type { ImageInput } from "./src/images/decode_image.ts";
export { decodeImage } from "./src/images/decode_image.ts";
export { ImageError } from "./src/images/image_error.ts";
export type { ImageDecoding } from "./src/images/preprocessing.ts";
export type { Alpha, DecodeImageOptions, RgbImage } from "./src/images/rgb_image.ts";
export { InputError, type InputErrorCode, type InputErrorOptions } from "./src/input_error.ts";
export { EngineError, type EngineErrorCode } from "./src/ffi/status.ts";
export type { EpochMetrics, StepReport } from "./src/pipeline/meter.ts";
export type { Recipe, ValidationMetric } from "./src/pipeline/recipe_schema.ts";
export type { TrainingRunResult } from "./src/pipeline/run.ts";
export { trainCaptioner, type TrainCaptionerOptions } from "./src/pipeline/train_captioner.ts";
export type { TrainingReporter } from "./src/pipeline/training_reporter.ts";
export type { Validation } from "./src/pipeline/validate.ts";
export type { Reporter } from "./src/reporter.ts";
export { Vocabulary, type VocabularyOptions } from "./src/text/vocabulary.ts";
