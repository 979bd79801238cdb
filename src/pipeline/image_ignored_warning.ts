import type { EpochMetrics } from "./meter.ts";
import type { TrainingContext } from "./training_context.ts";

/** Below one of these a model is taken to ignore its images. */
const MINIMUM = { mismatchedImageLossGap: 0.02, distinctFraction: 0.05 };
/** For fewer images the fraction of distinct captions says nothing. */
const MIN_IMAGES = 40;
/** At first it is common: a model learns the language before it looks at images. */
const EARLY_EPOCHS = 2;

/**
 * Finds the classic failure of captioners: a model that learned the language and ignores the images. Nearly all images get
 * the same few captions, or the loss hardly rises if each caption is paired with another image.
 *
 * @returns The warning with what to try, or undefined if all is well.
 */
export function imageIgnoredWarning(
  metrics: Pick<EpochMetrics, "epoch" | "mismatchedImageLossGap" | "distinctFraction">,
  { recipe, pretrained, splits }: Pick<TrainingContext, "recipe" | "pretrained" | "splits">,
): string | undefined {
  const { epoch, mismatchedImageLossGap, distinctFraction } = metrics;
  const images = new Set(splits.validation.map(({ example }) => example)).size;
  const alike = images >= MIN_IMAGES && distinctFraction < MINIMUM.distinctFraction;
  const blind = images > 1 && mismatchedImageLossGap < MINIMUM.mismatchedImageLossGap;
  if (!alike && !blind) return undefined;
  const found =
    `${(100 * distinctFraction).toFixed(1)}% of its captions are distinct, and with mismatched images the loss is ` +
    `${Math.abs(mismatchedImageLossGap).toFixed(3)} ${mismatchedImageLossGap < 0 ? "lower" : "higher"}`;
  if (epoch <= EARLY_EPOCHS) return `Warning: the model ignores its images so far, which is common: ${found}`;
  const remedies = [
    ...(pretrained ? [] : ["ImageNet weights by --encoder-weights"]),
    ...(recipe.inject === "every" ? [] : ["--inject every"]),
    "more images",
    "another learning rate by --set learningRate=...",
  ];
  return `Warning: the model ignores its images: ${found}; give it time, or try ${remedies.join(", ")}`;
}
