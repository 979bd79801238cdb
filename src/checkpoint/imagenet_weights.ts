import { downloadWeights, type DownloadWeightsOptions } from "./weights_download.ts";

/** Torchvision's ResNet-50 weights, trained on ImageNet with the recipe of 2015 and that of 2021, by option name. */
export const IMAGENET_WEIGHTS = {
  "imagenet": "resnet50-0676ba61.pth",
  "imagenet-v2": "resnet50-11ad3fa6.pth",
} as const;

const ORIGIN = "https://download.pytorch.org/models/";

export interface DownloadImagenetWeightsOptions extends Omit<DownloadWeightsOptions, "origin"> {
  /**
   * The URL of the folder, with a trailing slash.
   *
   * @default {PyTorch's}
   */
  readonly origin?: string;
}

/**
 * Downloads published weights, unless the folder has them intact. See {@linkcode downloadWeights}.
 *
 * @throws {InputError} If they cannot be downloaded or written, or have the wrong digest; the message names the remedy.
 */
export async function downloadImagenetWeights(
  name: keyof typeof IMAGENET_WEIGHTS,
  options: DownloadImagenetWeightsOptions,
): Promise<string> {
  return await downloadWeights(IMAGENET_WEIGHTS[name], { ...options, origin: options.origin ?? ORIGIN });
}
