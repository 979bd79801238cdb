/**
 * How captions are written.
 *
 * @module
 */

/** How captions are drawn at random. */
export interface SamplingOptions {
  /**
   * Decides what is drawn: an integer from 0 to 2^53 - 1. The same image and seed give the same captions, in every
   * batch.
   *
   * @default {0}
   */
  readonly seed?: number | undefined;
  /**
   * What log-probabilities are divided by: below 1 probable words become more so, above 1 less.
   *
   * @default {1}
   */
  readonly temperature?: number | undefined;
  /**
   * Words that each word is drawn from, the most probable ones.
   *
   * @default {all}
   */
  readonly topK?: number | undefined;
  /**
   * Each word is drawn from the fewest most probable ones that have this share together.
   *
   * @default {1}
   */
  readonly topP?: number | undefined;
}

/** How far captions of one image keep apart. */
export interface DiversityOptions {
  /** Groups that the beam is divided into; it is widened to a multiple of them. */
  readonly numBeamGroups: number;
  /**
   * What a group's word costs for each time that groups before it chose the same word at the same place, in nats.
   *
   * @default {0.5}
   */
  readonly diversityPenalty?: number | undefined;
}

/** How captions are written: by beam search, where nothing else is asked for. */
export interface DecodingOptions {
  /**
   * Captions pursued for each image, at least `nBest`; 1 is greedy search.
   *
   * @default {the checkpoint's}
   */
  readonly beamSize?: number | undefined;
  /**
   * Captions wanted of each image.
   *
   * @default {1}
   */
  readonly nBest?: number | undefined;
  /**
   * How much longer captions are favored: they are compared by log-probability / length^lengthPenalty, where the length
   * counts words and end (Wu et al. 2016, section 7). 0 compares log-probabilities, 1 their means.
   *
   * @default {0}
   */
  readonly lengthPenalty?: number | undefined;
  /**
   * Diverse beam search (Vijayakumar et al. 2016) instead of a plain one.
   *
   * @default {none}
   */
  readonly diversity?: DiversityOptions | undefined;
  /**
   * Captions drawn at random instead of searched for: `nBest` of them, sorted, the same one perhaps several times.
   *
   * @default {none}
   */
  readonly sampling?: SamplingOptions | undefined;
  /**
   * The least words of a caption.
   *
   * @default {1}
   */
  readonly minLength?: number | undefined;
  /**
   * The most words of a caption.
   *
   * @default {the checkpoint's}
   */
  readonly maxLength?: number | undefined;
  /**
   * No sequence of so many words comes twice in a caption; 0 allows all.
   *
   * @default {0}
   */
  readonly noRepeatNgramSize?: number | undefined;
  /**
   * Words that each caption holds.
   *
   * @default {none}
   */
  readonly forced?: readonly string[] | undefined;
  /**
   * Words that no caption holds.
   *
   * @default {none}
   */
  readonly forbidden?: readonly string[] | undefined;
  /**
   * What each caption begins with; its probability counts.
   *
   * @default {nothing}
   */
  readonly prefix?: string | undefined;
  /**
   * Words that no caption ends with, before its full stop or without; those that the model does not know do not matter.
   *
   * @default {BAD_ENDINGS for captions that NLTK's tokenizer split, which are English; else none}
   */
  readonly badEndings?: readonly string[] | undefined;
}
