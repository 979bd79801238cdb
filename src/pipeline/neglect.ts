/**
 * The classic failure of captioners: a model that learns the language and ignores the photographs.
 *
 * @module
 */

import type { Recipe } from "./recipe.ts";
import type { EpochMetrics } from "./train.ts";

/** Under one of these a model is taken to ignore its photographs. */
const LEAST = { imageGap: 0.02, distinctShare: 0.05 };
/** Of fewer photographs the share of different captions says nothing. */
const ENOUGH_PHOTOGRAPHS = 40;
/** Until then it is common: a model learns to speak before it looks. */
const EARLY_EPOCHS = 2;

/** What was validated, and how the model was made. */
export interface NeglectContext {
  /** Photographs that were captioned. */
  readonly photographs: number;
  /** The settings. */
  readonly recipe: Pick<Recipe, "inject">;
  /** Whether the CNN began with pretrained weights. */
  readonly pretrained: boolean;
}

/**
 * Warns where a validation shows that the model ignores its photographs: nearly all get the same few captions, or the loss
 * hardly rises when each caption is given another photograph.
 *
 * @param metrics An epoch's numbers.
 * @param context What was validated.
 * @returns The warning with what to try, or undefined where all is well.
 */
export function neglect(
  metrics: Pick<EpochMetrics, "epoch" | "imageGap" | "distinctShare">,
  { photographs, recipe, pretrained }: NeglectContext,
): string | undefined {
  const { epoch, imageGap, distinctShare } = metrics;
  const alike = photographs >= ENOUGH_PHOTOGRAPHS && distinctShare < LEAST.distinctShare;
  const blind = photographs > 1 && imageGap < LEAST.imageGap;
  if (!alike && !blind) return undefined;
  const found =
    `${(100 * distinctShare).toFixed(1)}% of its captions differ, and with another photograph the loss is ` +
    `${Math.abs(imageGap).toFixed(3)} ${imageGap < 0 ? "lower" : "higher"}`;
  if (epoch <= EARLY_EPOCHS) return `Warning: the model ignores its photographs so far, which is common: ${found}`;
  const remedies = [
    ...(pretrained ? [] : ["ImageNet weights by --encoder-weights"]),
    ...(recipe.inject === "every" ? [] : ["--inject every"]),
    "more photographs",
    "another rate by --set learningRate=...",
  ];
  return `Warning: the model ignores its photographs: ${found}; give it time, or try ${remedies.join(", ")}`;
}
