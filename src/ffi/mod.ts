/**
 * The model in libtorch: encoder and LSTM, one call for a training step, one for a decoding step. Loads the native library,
 * and needs `--allow-ffi=native/build/liblrcn.so`.
 *
 * @module
 */

export type { Batch, CroppedImages, Features, HeatMaps, Images, Loss, StepResult } from "./batch.ts";
export { Decoding, type NextTokens } from "./decoding.ts";
export {
  type Architecture,
  type Encoder,
  ENCODER_STAGES,
  type EncoderName,
  ENCODERS,
  type EncoderStage,
} from "./encoders.ts";
export { Engine, type Memory, type TensorInfo } from "./engine.ts";
export { Group, type GroupOptions, type ProcessGroup } from "./group.ts";
export { readRendezvous, type Rendezvous } from "./rendezvous.ts";
export {
  type EngineOptions,
  IMAGE_RESIZES,
  type ImageResize,
  type ModelSettings,
  type TrainStepOptions,
} from "./settings.ts";
export { EngineError, type EngineErrorCode } from "./status.ts";
export { InputError, type InputErrorCode, type InputErrorOptions } from "../input_error.ts";
