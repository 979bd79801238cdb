import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Encoder, type EncoderName, ENCODERS } from "../ffi/encoders.ts";
import { InputError } from "../input_error.ts";
import { downloadWeights, type DownloadWeightsOptions, isUndamaged } from "./weights_download.ts";

/** The folder into which the build installs weights from Python packages. */
export const INSTALLED_WEIGHTS: string = fileURLToPath(new URL("../../.cache/weights", import.meta.url));

const ORIGIN = "https://download.pytorch.org/models/";

/** Options of {@linkcode findImagenetWeights}. */
export interface FindImagenetWeightsOptions extends Omit<DownloadWeightsOptions, "origin"> {
  /**
   * The URL of the folder, with a trailing slash.
   *
   * @default {PyTorch's}
   */
  readonly origin?: string;
  /**
   * The folder into which the build installs weights from Python packages.
   *
   * @default {INSTALLED_WEIGHTS}
   */
  readonly installed?: string;
}

/**
 * Finds an encoder's ImageNet weights in the folder, or downloads them. Weights from a Python package are not downloaded:
 * the build installs them.
 *
 * @returns The file's path.
 * @throws {InputError} If they are missing, cannot be downloaded or written, or have the wrong digest; the message names
 * the remedy.
 */
export async function findImagenetWeights(name: EncoderName, options: FindImagenetWeightsOptions): Promise<string> {
  const encoder: Encoder = ENCODERS[name];
  const { folder, installed = INSTALLED_WEIGHTS, origin = ORIGIN } = options;
  if (encoder.weightsPackage === undefined) return await downloadWeights(encoder.weights, { ...options, origin });
  for (const place of [folder, installed]) {
    const path = join(place, encoder.weights);
    if (await isUndamaged(path)) return path;
  }
  throw new InputError(
    `Cannot find '${join(installed, encoder.weights)}', the ImageNet weights of ${name}: install them with ` +
      `deno task build --weights ${name}`,
  );
}

/** Whether the build has installed an encoder's weights; their digest is not checked. */
export async function hasInstalledWeights(name: EncoderName, folder: string = INSTALLED_WEIGHTS): Promise<boolean> {
  return await Deno.stat(join(folder, ENCODERS[name].weights)).then(({ isFile }) => isFile, () => false);
}
