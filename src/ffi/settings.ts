import type { EncoderName, EncoderStage } from "./encoders.ts";

/** Dimensions of a captioner, kept in its checkpoint. */
export interface ModelSettings {
  /** Size of the vocabulary: rows of the embedding and of the output layer. */
  readonly vocabularySize: number;
  /** Size of an embedding, and of the image feature if it enters every step. */
  readonly embedSize: number;
  /** Hidden size of each LSTM layer. */
  readonly hiddenSize: number;
  /** LSTM layers that read tokens alone. */
  readonly languageLayers: number;
  /** LSTM layers that read the language layers' output (or tokens) and the image feature. */
  readonly fusionLayers: number;
  /** Whether the image feature is the first element of the sequence or an input at every step. */
  readonly inject: "first" | "every";
  /**
   * The image encoder.
   *
   * @default {"resnet50"}
   */
  readonly encoder?: EncoderName;
  /** ResNet: channels of the first convolution, 64. EfficientNet-Lite: width coefficient in hundredths, 100 or 110. */
  readonly encoderWidth: number;
  /** Blocks of each of the encoder's stages: 3, 4, 6, 3 in ResNet-50. */
  readonly encoderBlocks: readonly number[];
}

/**
 * How an image becomes a square: `crop` keeps its aspect ratio and uses its center, `stretch` uses the whole image and
 * changes the ratio.
 *
 * @example Checking a setting
 * ```ts
 * import assert from "node:assert/strict";
 * import { IMAGE_RESIZES } from "@lrcn/lrcn/engine";
 *
 * const isResize = (text: string) => IMAGE_RESIZES.some((resize) => resize === text);
 * assert(isResize("stretch") && !isResize("squeeze"));
 * ```
 */
export const IMAGE_RESIZES = ["crop", "stretch"] as const;

/** One of {@linkcode IMAGE_RESIZES}. */
export type ImageResize = typeof IMAGE_RESIZES[number];

/** Device, precision and initialization of an engine. */
export interface EngineOptions {
  /**
   * The device; `auto` uses a GPU if there is one.
   *
   * @default {"auto"}
   */
  readonly device?: "auto" | "cpu" | "cuda";
  /**
   * Index of the GPU; of no effect if there is only one.
   *
   * @default {0}
   */
  readonly gpu?: number | undefined;
  /**
   * The precision; `auto` uses bfloat16 on GPUs and processors that have it, else float32. On a GPU `fp32` multiplies by
   * tensor cores, in TensorFloat-32 with 10 bits of mantissa; `fp32-strict` does not.
   *
   * @default {"auto"}
   */
  readonly precision?: "auto" | "fp32" | "fp32-strict" | "bf16" | "fp64";
  /**
   * CPU threads; 0 leaves the choice to libtorch, but takes no more than this process has processors, by a container's CPU
   * quota too.
   *
   * @default {0}
   */
  readonly threads?: number;
  /**
   * Seed of the initial parameters and of training: dropout and scheduled sampling.
   *
   * @default {0}
   */
  readonly seed?: number;
  /**
   * Initialization of the parameters: random as in PyTorch; random with a zero embedding for token 0, the padding; or all
   * zero, which takes no time, for a model that is loaded next.
   *
   * @default {"random"}
   */
  readonly initialization?: "random" | "zero-padding" | "zero";
}

/** Options of a training step. */
export interface TrainStepOptions {
  /** Adam, or AdamW, whose weight decay is decoupled from the gradient. */
  readonly optimizer: "adam" | "adamw";
  /** Learning rate of all parameters but the encoder's, whose last linear layer is not counted as the encoder's. */
  readonly learningRate: number;
  /** Learning rate of the encoder. */
  readonly encoderLearningRate: number;
  /**
   * First trainable stage of the encoder; `none` freezes all of it. Frozen stages keep their BatchNorm statistics.
   *
   * @default {the first stage: all of it}
   */
  readonly trainableFrom?: EncoderStage | "none";
  /**
   * BatchNorm of the trainable stages: batch statistics, which update the running ones; statistics synchronized over the
   * processes of the engine's group; or frozen running statistics, as in evaluation.
   *
   * @default {"batch"}
   */
  readonly batchNorm?: "batch" | "synchronized" | "frozen";
  /**
   * Dropout probability of the image features' elements, for each caption anew.
   *
   * @default {0}
   */
  readonly featureDropout?: number;
  /**
   * Dropout probability of the embeddings' elements.
   *
   * @default {0}
   */
  readonly embeddingDropout?: number;
  /**
   * Dropout probability between LSTM layers.
   *
   * @default {0}
   */
  readonly lstmDropout?: number;
  /**
   * Dropout probability before the output layer.
   *
   * @default {0}
   */
  readonly outputDropout?: number;
  /**
   * Probability of each target that is spread evenly over the vocabulary.
   *
   * @default {0}
   */
  readonly labelSmoothing?: number;
  /**
   * Probability that an input token, except the first of each caption, is replaced by one sampled from the model's
   * prediction (Bengio et al. 2015).
   *
   * @default {0}
   */
  readonly scheduledSampling?: number;
  /**
   * Weight decay of all parameters but the CNN's.
   *
   * @default {0}
   */
  readonly weightDecay?: number;
  /**
   * Weight decay of the CNN.
   *
   * @default {0}
   */
  readonly encoderWeightDecay?: number;
  /**
   * Gradients are clipped to this L2 norm over all parameters; 0 disables clipping.
   *
   * @default {0}
   */
  readonly maxGradientNorm?: number;
}
