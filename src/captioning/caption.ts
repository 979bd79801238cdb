/** A caption as token ids. */
export interface TokenSequence {
  /** Token ids without `<start>` and `<end>`. */
  readonly tokens: readonly number[];
  /** Natural logarithm of the probability of the tokens, and of `<end>` if the caption reached it. */
  readonly logProbability: number;
}

/** A caption of an image. */
export interface Caption {
  /** The text. */
  readonly text: string;
  /** Natural logarithm of the probability of its tokens and of its end. */
  readonly logProbability: number;
  /** The tokens that the model generated. */
  readonly tokens: readonly string[];
  /** The other captions of the image, best first, if `nBest` is over 1. */
  readonly alternatives?: readonly Caption[];
}
