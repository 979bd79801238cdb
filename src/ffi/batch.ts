/** Images of one size. */
export interface Images {
  /** Number of images. */
  readonly count: number;
  /** Height in pixels. */
  readonly height: number;
  /** Width in pixels. */
  readonly width: number;
  /** R, G, B of each pixel, row by row, image by image: count x height x width x 3. */
  readonly pixels: Uint8Array<ArrayBuffer>;
}

/** Images of which a training step uses one crop each. */
export interface CroppedImages extends Images {
  /** Side of the crops in pixels. */
  readonly crop: number;
  /** For each image: top row and left column of its crop, and 1 to flip it horizontally. */
  readonly crops: Int32Array<ArrayBuffer>;
}

/** Image features: the input of the CNN's last layer. */
export interface Features {
  /** Number of images. */
  readonly count: number;
  /** Image by image: count x feature size, which depends on the encoder. */
  readonly values: Float32Array<ArrayBuffer>;
}

/** Images with their captions as token ids. */
export interface Batch {
  /** The images, in training perhaps cropped; or their features, if the CNN is frozen. */
  readonly images: Images | CroppedImages | Features;
  /** For each caption, the index of its image. */
  readonly imageOfRow: Int32Array<ArrayBuffer>;
  /** Input tokens: captions x inputsLength. */
  readonly inputs: Int32Array<ArrayBuffer>;
  /** Input tokens of each caption. */
  readonly inputsLength: number;
  /** Target tokens: captions x targetsLength; -1 is not counted. */
  readonly targets: Int32Array<ArrayBuffer>;
  /**
   * Weight of each caption's loss in training; may be negative.
   *
   * @default {1 for each}
   */
  readonly rowWeights?: Float32Array<ArrayBuffer>;
  /** Equal to inputsLength; one more if the image's own step predicts a token too. */
  readonly targetsLength: number;
}

/** Heat maps of a caption's tokens. */
export interface HeatMaps {
  /** Rows of a map: the image's height / 32, rounded up. */
  readonly rows: number;
  /** Columns of a map: the image's width / 32, rounded up. */
  readonly columns: number;
  /** Probability of each target, 0 if it is not counted: targetsLength. */
  readonly probabilities: Float64Array<ArrayBuffer>;
  /** Grad-CAM of each cell for each target, 0 or more: targetsLength x rows x columns. */
  readonly heat: Float64Array<ArrayBuffer>;
}

/** The loss of a batch. */
export interface Loss {
  /** Mean cross-entropy of the counted tokens, in nats. */
  readonly loss: number;
  /** Number of counted tokens. */
  readonly tokens: number;
}

/** The result of a training step. */
export interface StepResult extends Loss {
  /** L2 norm of all gradients before clipping. If it is not finite, no parameter has changed. */
  readonly gradientNorm: number;
}
