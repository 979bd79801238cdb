/**
 * The classic failure of captioners: a model that learns the language and ignores the photographs.
 *
 * @module
 */

import type { EpochMetrics } from "./train.ts";

/** Under one of these a model is taken to ignore its photographs. */
const LEAST = { imageGap: 0.02, distinctShare: 0.05 };
/** A model needs some time before it looks. */
const FIRST_EPOCH = 3;
/** Of fewer photographs the share of different captions says nothing. */
const ENOUGH_PHOTOGRAPHS = 40;

/**
 * Warns where a validation shows that the model ignores its photographs: nearly all get the same few captions, or the loss
 * hardly rises when each caption is given another photograph.
 *
 * @param metrics An epoch's numbers.
 * @param photographs Photographs that were captioned.
 * @returns The warning, or undefined where all is well or it is too early to say.
 */
export function neglect(
  metrics: Pick<EpochMetrics, "epoch" | "imageGap" | "distinctShare">,
  photographs: number,
): string | undefined {
  const { epoch, imageGap, distinctShare } = metrics;
  if (epoch < FIRST_EPOCH || photographs < ENOUGH_PHOTOGRAPHS) return undefined;
  if (imageGap >= LEAST.imageGap && distinctShare >= LEAST.distinctShare) return undefined;
  return `Warning: the model seems to ignore its photographs: ${
    (100 * distinctShare).toFixed(1)
  }% of its captions differ, ` +
    `and with another photograph the loss is ${imageGap.toFixed(3)} higher; give it time, ImageNet weights by ` +
    "--encoder-weights, --inject every, more photographs, or another --set learningRate=...";
}
