/**
 * The encoders' ImageNet weights, and the folder that keeps them.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Encoder, type EncoderName, ENCODERS } from "../ffi/encoders.ts";
import { InputError } from "../input_error.ts";
import { downloadWeights, type DownloadWeightsOptions, isUndamaged } from "./weights_download.ts";

/** Where the build puts weights from Python packages. */
export const INSTALLED_WEIGHTS: string = fileURLToPath(new URL("../../.cache/weights", import.meta.url));

const ORIGIN = "https://download.pytorch.org/models/";

/** Options of {@linkcode findImagenetWeights}. */
export interface FindImagenetWeightsOptions extends Omit<DownloadWeightsOptions, "origin"> {
  /**
   * The folder on the network, with a slash at its end.
   *
   * @default {PyTorch's}
   */
  readonly origin?: string;
  /**
   * Where the build has put weights from Python packages.
   *
   * @default {INSTALLED_WEIGHTS}
   */
  readonly installed?: string;
}

/**
 * Finds an encoder's weights in the folder, or downloads them. Those from a Python package are not downloaded: the build
 * installs them.
 *
 * @param name The encoder.
 * @param options See {@linkcode FindImagenetWeightsOptions}.
 * @returns The file's path.
 * @throws {InputError} They are not there, cannot be downloaded or written, or are not what was published; the message says
 * what to do.
 */
export async function findImagenetWeights(name: EncoderName, options: FindImagenetWeightsOptions): Promise<string> {
  const encoder: Encoder = ENCODERS[name];
  const { folder, installed = INSTALLED_WEIGHTS, origin = ORIGIN, signal } = options;
  if (encoder.weightsPackage === undefined) return await downloadWeights(encoder.weights, { ...options, origin });
  for (const place of [folder, installed]) {
    const path = join(place, encoder.weights);
    if (await isUndamaged(path, signal)) return path;
  }
  throw new InputError(
    `Cannot find '${join(installed, encoder.weights)}', the ImageNet weights of ${name}: install them by ` +
      `deno task build --weights ${name}`,
  );
}

/** Whether weights that the build installs are there; their digest is not checked. */
export async function hasInstalledWeights(name: EncoderName, folder: string = INSTALLED_WEIGHTS): Promise<boolean> {
  return await Deno.stat(join(folder, ENCODERS[name].weights)).then(({ isFile }) => isFile, () => false);
}
