import { ignoresImages } from "../checkpoint/ignores_images.ts";
import type { EpochMetrics } from "./meter.ts";
import type { TrainingContext } from "./training_context.ts";

/** At first it is common: a model learns the language before it looks at images. */
const EARLY_EPOCHS = 2;

/**
 * Warns of a model that ignores its images.
 *
 * @returns The warning with what to try, or undefined if all is well.
 */
export function imageIgnoredWarning(
  metrics: Pick<EpochMetrics, "epoch" | "mismatchedImageLossGap" | "distinctFraction">,
  { recipe, pretrained, splits }: Pick<TrainingContext, "recipe" | "pretrained" | "splits">,
): string | undefined {
  const found = ignoresImages(metrics, new Set(splits.validation.map(({ example }) => example)).size);
  if (found === undefined) return undefined;
  if (metrics.epoch <= EARLY_EPOCHS) {
    return `Warning: the model ignores its images so far, which is common: ${found}`;
  }
  const remedies = [
    ...(pretrained ? [] : ["ImageNet weights by --encoder-weights"]),
    ...(recipe.inject === "every" ? [] : ["--inject every"]),
    "more images",
    "another learning rate by --set learningRate=...",
  ];
  return `Warning: the model ignores its images: ${found}; give it time, or try ${remedies.join(", ")}`;
}
