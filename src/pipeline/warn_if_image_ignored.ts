/**
 * The classic failure of captioners: a model that learns the language and ignores the images.
 *
 * @module
 */

import type { Recipe } from "./recipe.ts";
import type { EpochMetrics } from "./train.ts";

/** Under one of these a model is taken to ignore its images. */
const LEAST = { mismatchedImageLossGap: 0.02, distinctFraction: 0.05 };
/** Of fewer images the share of different captions says nothing. */
const ENOUGH_PHOTOGRAPHS = 40;
/** Until then it is common: a model learns to speak before it looks. */
const EARLY_EPOCHS = 2;

/** What was validated, and how the model was made. */
export interface ImageIgnoredContext {
  /** Images that were captioned. */
  readonly examples: number;
  /** The settings. */
  readonly recipe: Pick<Recipe, "inject">;
  /** Whether the CNN began with pretrained weights. */
  readonly pretrained: boolean;
}

/**
 * Warns where a validation shows that the model ignores its images: nearly all get the same few captions, or the loss
 * hardly rises when each caption is given another image.
 *
 * @param metrics An epoch's numbers.
 * @param context What was validated.
 * @returns The warning with what to try, or undefined where all is well.
 */
export function warnIfImageIgnored(
  metrics: Pick<EpochMetrics, "epoch" | "mismatchedImageLossGap" | "distinctFraction">,
  { examples, recipe, pretrained }: ImageIgnoredContext,
): string | undefined {
  const { epoch, mismatchedImageLossGap, distinctFraction } = metrics;
  const alike = examples >= ENOUGH_PHOTOGRAPHS && distinctFraction < LEAST.distinctFraction;
  const blind = examples > 1 && mismatchedImageLossGap < LEAST.mismatchedImageLossGap;
  if (!alike && !blind) return undefined;
  const found = `${(100 * distinctFraction).toFixed(1)}% of its captions differ, and with another image the loss is ` +
    `${Math.abs(mismatchedImageLossGap).toFixed(3)} ${mismatchedImageLossGap < 0 ? "lower" : "higher"}`;
  if (epoch <= EARLY_EPOCHS) return `Warning: the model ignores its images so far, which is common: ${found}`;
  const remedies = [
    ...(pretrained ? [] : ["ImageNet weights by --encoder-weights"]),
    ...(recipe.inject === "every" ? [] : ["--inject every"]),
    "more images",
    "another rate by --set learningRate=...",
  ];
  return `Warning: the model ignores its images: ${found}; give it time, or try ${remedies.join(", ")}`;
}
