/**
 * What a model is made of and how it computes and learns.
 *
 * @module
 */

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
  /** Channels of the CNN's first layer: 64 in ResNet-50. */
  readonly encoderWidth: number;
  /** Bottleneck blocks of the CNN's four stages: 3, 4, 6, 3 in ResNet-50. */
  readonly encoderBlocks: readonly [number, number, number, number];
  /** Share of word vectors' and outputs' elements that training drops. */
  readonly dropout: number;
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
   * Decides the initial parameters and what dropout drops.
   *
   * @default {0}
   */
  readonly seed?: number;
  /**
   * Whether word 0, the padding, starts as a zero vector.
   *
   * @default {false}
   */
  readonly zeroPadding?: boolean;
}

/** The optimizer's settings for one step. */
export interface OptimizerOptions {
  /** Adam, or AdamW, which decays weights apart from the gradient. */
  readonly optimizer: "adam" | "adamw";
  /** Step size for the CNN without its last layer. */
  readonly encoderLearningRate: number;
  /** Step size for all other parameters. */
  readonly learningRate: number;
  /**
   * Whether the CNN learns; where not, its BatchNorm statistics stand still too.
   *
   * @default {true}
   */
  readonly trainEncoder?: boolean;
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
   * Weight decay.
   *
   * @default {0}
   */
  readonly weightDecay?: number;
  /**
   * Longest 2-norm of all gradients together; longer ones are scaled down. 0 leaves them.
   *
   * @default {0}
   */
  readonly maxGradientNorm?: number;
}
