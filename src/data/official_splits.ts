/** Names of the images in each part of a dataset; no name is in two parts. */
export interface OfficialSplits {
  /** The training set. */
  readonly train: readonly string[];
  /** The validation set. */
  readonly validation: readonly string[];
  /** The test set. */
  readonly test: readonly string[];
}

/**
 * Completes a split that lacks validation or test: it gets every second image of the other by name.
 *
 * @returns Undefined if the images do not suffice to train and validate.
 */
export function completeSplits(lists: OfficialSplits): OfficialSplits | undefined {
  const { train, validation, test } = lists;
  const both = [...validation, ...test].sort();
  if (train.length === 0 || both.length === 0) return undefined;
  if (validation.length > 0 && test.length > 0) return lists;
  return {
    train,
    validation: both.filter((_, index) => index % 2 === 0),
    test: both.filter((_, index) => index % 2 === 1),
  };
}

/** Says, after its source, how {@linkcode completeSplits} completes a split; empty if it does not. */
export function describeCompletion({ train, validation, test }: OfficialSplits): string {
  if (train.length === 0 || (validation.length === 0) === (test.length === 0)) return "";
  const [lacking, other] = validation.length === 0 ? ["validation", "test"] : ["test", "validation"];
  return `; without a ${lacking} set, every second ${other} image is used for ${
    other === "test" ? "validation" : "testing"
  }`;
}
