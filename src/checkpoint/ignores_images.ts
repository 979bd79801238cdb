/** A validation's numbers that show whether a model looks at its images. */
export interface ImageUse {
  /** How much the loss rises, in nats, if each caption is paired with another image. */
  readonly mismatchedImageLossGap: number;
  /** Fraction of distinct captions among the generated ones. */
  readonly distinctFraction: number;
}

/** Below one of these a model is taken to ignore its images. */
const MINIMUM: ImageUse = { mismatchedImageLossGap: 0.02, distinctFraction: 0.05 };
/** For fewer images the fraction of distinct captions says nothing. */
const MIN_IMAGES = 40;

/**
 * Finds the classic failure of captioners: a model that learned the language and ignores the images. Nearly all images get
 * the same few captions, or the loss hardly rises if each caption is paired with another image.
 *
 * @param images Number of validation images. If it is not known, a fraction of 1 may be that of a single image, which has
 * no mismatched one.
 * @returns What shows it, or undefined if all is well.
 */
export function ignoresImages(use: ImageUse, images?: number): string | undefined {
  const { mismatchedImageLossGap: gap, distinctFraction } = use;
  const alike = (images ?? MIN_IMAGES) >= MIN_IMAGES && distinctFraction < MINIMUM.distinctFraction;
  const severalImages = images === undefined ? distinctFraction < 1 : images > 1;
  const blind = severalImages && gap < MINIMUM.mismatchedImageLossGap;
  if (!alike && !blind) return undefined;
  return `${
    (100 * distinctFraction).toFixed(1)
  }% of its captions are distinct, and with mismatched images the loss is ` +
    `${Math.abs(gap).toFixed(3)} ${gap < 0 ? "lower" : "higher"}`;
}
