/**
 * The split that a dataset's authors published.
 *
 * @module
 */

/** Names of the images in each part of a dataset; no name is in two parts. */
export interface OfficialSplits {
  /** Names to learn from. */
  readonly train: readonly string[];
  /** Names to validate with. */
  readonly validation: readonly string[];
  /** Names to test with. */
  readonly test: readonly string[];
}
