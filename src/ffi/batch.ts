/**
 * What a training step is given, and what it reports.
 *
 * @module
 */

/** Images of one size. */
export interface Images {
  /** How many. */
  readonly count: number;
  /** Rows of pixels of each. */
  readonly height: number;
  /** Pixels in a row. */
  readonly width: number;
  /** R, G, B of each pixel, row by row, image by image: count x height x width x 3. */
  readonly pixels: Uint8Array<ArrayBuffer>;
}

/** Images of which a training step sees a square each, chosen anew each time. */
export interface CroppedImages extends Images {
  /** Side of the squares in pixels. */
  readonly crop: number;
  /** For each image the rows above its square, the columns on its left, and 1 where left and right are exchanged. */
  readonly crops: Int32Array<ArrayBuffer>;
}

/** What the CNN sees in images: what its last layer reads. */
export interface Features {
  /** Images they are of. */
  readonly count: number;
  /** Image by image: count x feature size, which is 32 times the CNN's width. */
  readonly values: Float32Array<ArrayBuffer>;
}

/** Images with the words of their captions. */
export interface Batch {
  /** The images, in training perhaps cropped, or where the CNN does not learn their features. */
  readonly images: Images | CroppedImages | Features;
  /** For each caption, the index of its image. */
  readonly imageOfRow: Int32Array<ArrayBuffer>;
  /** Word ids given: captions x inputsLength. */
  readonly inputs: Int32Array<ArrayBuffer>;
  /** Words given for each caption. */
  readonly inputsLength: number;
  /** Word ids to predict: captions x targetsLength; -1 is not counted. */
  readonly targets: Int32Array<ArrayBuffer>;
  /**
   * What the losses of each caption's words are multiplied by in training, perhaps negative.
   *
   * @default {1 for each}
   */
  readonly rowWeights?: Float32Array<ArrayBuffer>;
  /** Equal to inputsLength; one more where the image's own step predicts a word too. */
  readonly targetsLength: number;
}

/** What of an image speaks for each word of a caption. */
export interface HeatMaps {
  /** Rows of a map: a 32nd of the image's, rounded up. */
  readonly rows: number;
  /** Places in a row, likewise. */
  readonly columns: number;
  /** Of the targets, 0 where one is not counted: targetsLength. */
  readonly probabilities: Float64Array<ArrayBuffer>;
  /** How much each place speaks for the target, 0 or more: targetsLength x rows x columns. */
  readonly heat: Float64Array<ArrayBuffer>;
}

/** The loss of a batch. */
export interface Loss {
  /** Mean cross-entropy of the counted words, in nats. */
  readonly loss: number;
  /** Words counted. */
  readonly words: number;
}

/** What a training step reports. */
export interface StepResult extends Loss {
  /** 2-norm of all gradients before clipping. Where it is not finite, no parameter has changed. */
  readonly gradientNorm: number;
}
