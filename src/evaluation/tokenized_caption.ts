/** A tokenized caption with its references: lower-case words without punctuation. */
export interface TokenizedCaption {
  /** Tokens of the caption. */
  readonly caption: readonly string[];
  /** Tokens of each reference, at least one. */
  readonly references: readonly (readonly string[])[];
}
