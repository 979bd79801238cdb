/**
 * What a model is made of and how it computes and learns.
 *
 * @module
 */

import type { EncoderName, EncoderStage } from "./encoders.ts";

/** The dimensions of a captioner. They are kept in its checkpoint. */
export interface ModelSettings {
  /** Words of the vocabulary: rows of the embedding and of the output layer. */
  readonly vocabularySize: number;
  /** Width of a word's vector, and of the image feature where it enters every step. */
  readonly embedSize: number;
  /** Width of each LSTM layer. */
  readonly hiddenSize: number;
  /** LSTM layers that read words alone. */
  readonly languageLayers: number;
  /** LSTM layers that read the language layers' output (or words) and the image feature. */
  readonly fusionLayers: number;
  /** Whether the image feature is the sequence's first element or stands beside every word. */
  readonly inject: "first" | "every";
  /**
   * The image encoder.
   *
   * @default {"resnet50"}
   */
  readonly encoder?: EncoderName;
  /** ResNet: channels of the first layer, 64. EfficientNet-Lite: hundredths of the width coefficient, 100 or 110. */
  readonly encoderWidth: number;
  /** Blocks of each of the encoder's stages: 3, 4, 6, 3 in ResNet-50. */
  readonly encoderBlocks: readonly number[];
}

/** How an engine computes. */
export interface EngineOptions {
  /**
   * The device; `auto` takes a GPU where there is one.
   *
   * @default {"auto"}
   */
  readonly device?: "auto" | "cpu" | "cuda";
  /**
   * Which GPU, from 0, where the device is one.
   *
   * @default {0}
   */
  readonly gpu?: number;
  /**
   * The arithmetic; `auto` takes bfloat16 on a GPU and on processors that multiply it natively, else float32.
   *
   * @default {"auto"}
   */
  readonly precision?: "auto" | "fp32" | "bf16" | "fp64";
  /**
   * CPU threads; 0 leaves the choice to libtorch.
   *
   * @default {0}
   */
  readonly threads?: number;
  /**
   * Decides the initial parameters and what training draws: dropped elements, sampled words.
   *
   * @default {0}
   */
  readonly seed?: number;
  /**
   * What the parameters start as: drawn as PyTorch draws them, the same but for word 0, the padding, which is a zero vector,
   * or all zero, which takes no time, for a model that is about to be loaded.
   *
   * @default {"drawn"}
   */
  readonly initialization?: "drawn" | "zero-padding" | "zero";
}

/** How one step of training computes and learns. */
export interface TrainStepOptions {
  /** Adam, or AdamW, which decays weights apart from the gradient. */
  readonly optimizer: "adam" | "adamw";
  /** Step size for all parameters but the CNN's; the CNN's last layer is not counted as the CNN's. */
  readonly learningRate: number;
  /** Step size for the CNN. */
  readonly encoderLearningRate: number;
  /**
   * Where the CNN begins to learn; `none` freezes all of it. What stands before keeps its BatchNorm statistics.
   *
   * @default The first stage: all of it
   */
  readonly trainableFrom?: EncoderStage | "none";
  /**
   * Whether BatchNorm of the learning part of the CNN normalizes by the batch and moves its statistics; `shared` by the
   * batches of all processes of the engine's group. Otherwise it keeps to its statistics, as in evaluation.
   *
   * @default {true}
   */
  readonly batchNorm?: "batch" | "synchronized" | "frozen";
  /**
   * Share of the word vectors' elements that is dropped.
   *
   * @default {0}
   */
  readonly embeddingDropout?: number;
  /**
   * Share that is dropped between LSTM layers.
   *
   * @default {0}
   */
  readonly lstmDropout?: number;
  /**
   * Share that is dropped before the output layer.
   *
   * @default {0}
   */
  readonly outputDropout?: number;
  /**
   * Share of each target that is spread evenly over the vocabulary.
   *
   * @default {0}
   */
  readonly labelSmoothing?: number;
  /**
   * Share of the words given, the first of each caption apart, in whose place stands one drawn from what the model expects
   * there (Bengio et al. 2015).
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
   * Decay rate of the gradients' running mean.
   *
   * @default {0.9}
   */
  readonly beta1?: number;
  /**
   * Decay rate of the squared gradients' running mean.
   *
   * @default {0.999}
   */
  readonly beta2?: number;
  /**
   * Added to the denominator.
   *
   * @default {1e-8}
   */
  readonly epsilon?: number;
  /**
   * Longest 2-norm of all gradients together; longer ones are scaled down. 0 leaves them.
   *
   * @default {0}
   */
  readonly maxGradientNorm?: number;
  /**
   * Whether a GPU records steps of a shape that came a few times before, and runs each as one launch, to the same
   * numbers. Needs libtorch 2.13; nothing is recorded elsewhere.
   *
   * @default {false}
   */
  readonly cudaGraphs?: boolean;
}
