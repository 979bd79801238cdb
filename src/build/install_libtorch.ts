import { join } from "node:path";
import { InputError } from "../input_error.ts";
import { installFolder } from "./find_libtorch.ts";
import { INSTALLED_VERSION, type Libtorch, readLibtorch, SUPPORTED_VERSIONS } from "./libtorch.ts";
import type { Machine } from "./machine.ts";
import { pipInstall } from "./pip_install.ts";

/** PyTorch's index of wheels without CUDA. */
const CPU_INDEX = "https://download.pytorch.org/whl/cpu";

/** Major version of the oldest NVIDIA driver that runs CUDA 13, which the default wheel brings. */
const OLDEST_DRIVER = 580;

export interface InstallLibtorchOptions {
  /** Receives each line of progress. */
  readonly report: (line: string) => void;
  /**
   * Report all output of pip.
   *
   * @default {false}
   */
  readonly verbose?: boolean;
}

/**
 * Installs the torch wheel and its dependencies into `native/.libtorch/` with pip. Without an NVIDIA GPU, PyTorch's
 * index of CPU wheels is added: the default Linux wheel brings gigabytes of CUDA.
 *
 * @throws {InputError} If Python or pip is missing, or pip fails.
 */
export async function installLibtorch(
  root: string,
  machine: Machine,
  options: InstallLibtorchOptions,
): Promise<Libtorch> {
  const otherwise = `set LIBTORCH to the folder of a libtorch ${SUPPORTED_VERSIONS}`;
  const gpu = await seesGpu(machine, options.report);
  const size = gpu
    ? "with CUDA for the GPU seen here: several GB to download and on the disk"
    : "for the CPU: about 200 MB to download, 1 GB on the disk";
  await pipInstall(installFolder(root), machine, {
    ...options,
    what: "libtorch",
    packages: [`torch==${INSTALLED_VERSION}`],
    announcement: `libtorch: installing ${INSTALLED_VERSION} into native/.libtorch, ${size}`,
    otherwise,
    log: join(root, "native", "build", "pip-libtorch.log"),
    // Few retries: if that index is unreachable, pip would otherwise wait for it once per dependency.
    pipArgs: gpu ? [] : ["--extra-index-url", CPU_INDEX, "--retries", "2"],
  });
  const libtorch = await readLibtorch(join(installFolder(root), "torch"));
  if (libtorch === undefined) {
    throw new InputError(
      `Cannot use the installed torch: native/.libtorch/torch has no headers or no libtorch_cpu.so; remove ` +
        `native/.libtorch and LRCN_PIP_ARGS and build again, or ${otherwise}`,
    );
  }
  return libtorch;
}

/** Whether there is a GPU whose driver can run the wheel's CUDA; reports one that cannot. */
async function seesGpu(machine: Machine, report: (line: string) => void): Promise<boolean> {
  const result = await machine.run("nvidia-smi", ["--query-gpu=driver_version", "--format=csv,noheader"]);
  const driver = /^\d+(\.\d+)+/.exec(result?.code === 0 ? result.output : "")?.[0];
  if (driver === undefined) return false;
  if (Number.parseInt(driver) >= OLDEST_DRIVER) return true;
  report(
    `libtorch: the NVIDIA driver is ${driver}, and CUDA 13 needs ${OLDEST_DRIVER} or newer, so this is for the CPU; for ` +
      "the GPU update the driver, remove native/.libtorch and build again, or set LIBTORCH to a libtorch for CUDA 12",
  );
  return false;
}
