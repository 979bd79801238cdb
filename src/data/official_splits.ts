/** Names of the images in each part of a dataset; no name is in two parts. */
export interface OfficialSplits {
  /** The training set. */
  readonly train: readonly string[];
  /** The validation set. */
  readonly validation: readonly string[];
  /** The test set. */
  readonly test: readonly string[];
}
