/**
 * The weights that torchvision publishes for ResNet-50, trained on ImageNet, and the folder that keeps them.
 *
 * @module
 */

import { join } from "node:path";
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
 * Looks for published weights that an earlier run has fetched. Files get their name there when they are whole and their
 * digest is right, so that the name alone is asked for.
 *
 * @param folder The folder that keeps them; it need not be there.
 * @returns The first one's path, or undefined where there is none.
 */
export async function findImagenetWeights(folder: string): Promise<string | undefined> {
  for (const fileName of Object.values(IMAGENET_WEIGHTS)) {
    const path = join(folder, fileName);
    try {
      if ((await Deno.stat(path)).isFile) return path;
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
    }
  }
  return undefined;
}

/**
 * Fetches published weights, unless the folder has them. See {@linkcode downloadWeights}.
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
