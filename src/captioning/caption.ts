/**
 * Written captions, as word ids and as text.
 *
 * @module
 */

/** The words of a caption, as ids, and how probable the model finds them. */
export interface WordSequence {
  /** Word ids without start and end. */
  readonly words: readonly number[];
  /** Natural logarithm of the probability of the words and of the end, where it was reached. */
  readonly logProbability: number;
}

/** A caption of an image. */
export interface Caption {
  /** The text. */
  readonly caption: string;
  /** Natural logarithm of the probability of its words and of its end. */
  readonly logProbability: number;
  /** Its words as the model writes them. */
  readonly tokens: readonly string[];
  /** The other captions of the image, best first, where several were asked for. */
  readonly alternatives?: readonly Caption[];
}
