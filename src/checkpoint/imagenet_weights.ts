/**
 * The weights that torchvision publishes for ResNet-50, trained on ImageNet, and the folder that keeps them.
 *
 * @module
 */

import { downloadWeights, type DownloadWeightsOptions } from "./weights_download.ts";

/** The published files by the names that users know them by. The first one is from 2015's recipe, the second from 2021's. */
export const IMAGENET_WEIGHTS = {
  "imagenet": "resnet50-0676ba61.pth",
  "imagenet-v2": "resnet50-11ad3fa6.pth",
} as const;

const ORIGIN = "https://download.pytorch.org/models/";

/** Options of {@linkcode downloadImagenetWeights}. */
export interface DownloadImagenetWeightsOptions extends Omit<DownloadWeightsOptions, "origin"> {
  /**
   * The folder on the network, with a slash at its end.
   *
   * @default {PyTorch's}
   */
  readonly origin?: string;
}

/**
 * Fetches published weights, unless the folder has them undamaged. See {@linkcode downloadWeights}.
 *
 * @param name Which ones.
 * @param options See {@linkcode DownloadImagenetWeightsOptions}.
 * @returns The file's path.
 * @throws {InputError} They cannot be fetched or written, or are not what was published; the message says what to do.
 */
export async function downloadImagenetWeights(
  name: keyof typeof IMAGENET_WEIGHTS,
  options: DownloadImagenetWeightsOptions,
): Promise<string> {
  return await downloadWeights(IMAGENET_WEIGHTS[name], { ...options, origin: options.origin ?? ORIGIN });
}
