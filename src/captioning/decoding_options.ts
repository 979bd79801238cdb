/** Sampling. */
export interface SamplingOptions {
  /**
   * Seed, an integer from 0 to 2^53 - 1. The same image and seed give the same captions in every batch.
   *
   * @default {0}
   */
  readonly seed?: number | undefined;
  /**
   * Divisor of the log-probabilities: below 1 favors probable tokens, above 1 flattens the distribution.
   *
   * @default {1}
   */
  readonly temperature?: number | undefined;
  /**
   * Sample from the `topK` most probable tokens.
   *
   * @default {all}
   */
  readonly topK?: number | undefined;
  /**
   * Sample from the fewest most probable tokens whose probabilities sum to at least this (nucleus sampling, Holtzman et
   * al. 2019), after temperature and `topK`.
   *
   * @default {1}
   */
  readonly topP?: number | undefined;
}

/** Diverse beam search. */
export interface DiversityOptions {
  /** Number of groups that the beam is divided into; the beam is widened to a multiple of it. */
  readonly numBeamGroups: number;
  /**
   * Penalty of a token for each time that an earlier group chose it at the same step, in nats.
   *
   * @default {0.5}
   */
  readonly diversityPenalty?: number | undefined;
}

/** How captions are generated: by beam search, unless the options say otherwise. */
export interface DecodingOptions {
  /**
   * Beam size, at least `nBest`; 1 is greedy search.
   *
   * @default {the checkpoint's}
   */
  readonly beamSize?: number | undefined;
  /**
   * Captions returned for each image.
   *
   * @default {1}
   */
  readonly nBest?: number | undefined;
  /**
   * Captions are compared by log-probability / length^lengthPenalty, where the length counts tokens and end (Wu et al.
   * 2016, section 7): 0 compares log-probabilities, 1 their means.
   *
   * @default {0}
   */
  readonly lengthPenalty?: number | undefined;
  /**
   * Diverse beam search (Vijayakumar et al. 2016) instead of plain beam search.
   *
   * @default {none}
   */
  readonly diversity?: DiversityOptions | undefined;
  /**
   * Sample `nBest` captions instead of searching, sorted by probability; duplicates are kept.
   *
   * @default {none}
   */
  readonly sampling?: SamplingOptions | undefined;
  /**
   * Minimum length of a caption, in tokens.
   *
   * @default {1}
   */
  readonly minLength?: number | undefined;
  /**
   * Maximum length of a caption, in tokens.
   *
   * @default {the checkpoint's}
   */
  readonly maxLength?: number | undefined;
  /**
   * No n-gram of this size occurs twice in a caption; 0 allows all.
   *
   * @default {0}
   */
  readonly noRepeatNgramSize?: number | undefined;
  /**
   * Words that each caption contains.
   *
   * @default {none}
   */
  readonly forced?: readonly string[] | undefined;
  /**
   * Words that no caption contains.
   *
   * @default {none}
   */
  readonly forbidden?: readonly string[] | undefined;
  /**
   * Text that each caption begins with; its probability counts.
   *
   * @default {nothing}
   */
  readonly prefix?: string | undefined;
  /**
   * Words that no caption ends with, with or without a full stop; words not in the vocabulary have no effect.
   *
   * @default {BAD_ENDINGS with the NLTK tokenizer, whose captions are English; else none}
   */
  readonly badEndings?: readonly string[] | undefined;
}
