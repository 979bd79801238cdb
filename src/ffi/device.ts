import { InputError } from "../input_error.ts";
import type { BuildInfo } from "./library.ts";
import type { EngineOptions } from "./settings.ts";

/** A device and a precision, as they are chosen. */
export interface Numerics {
  readonly device: "cpu" | "cuda";
  /** Index of the GPU; 0 on the CPU. */
  readonly gpu: number;
  readonly precision: "fp32" | "fp32-strict" | "bf16" | "fp64";
}

/** Replaces each `auto` by what is fastest on this machine. */
export function chooseNumerics(
  { device: wanted = "auto", gpu = 0, precision = "auto" }: Pick<EngineOptions, "device" | "gpu" | "precision">,
  info: Pick<BuildInfo, "bf16" | "cudaBf16" | "cudaDevices">,
): Numerics {
  const device = wanted === "auto" ? (info.cudaDevices > 0 ? "cuda" : "cpu") : wanted;
  const hasBf16 = device === "cuda" ? info.cudaBf16 : info.bf16;
  return {
    device,
    // A scheduler may show each process a GPU of its own, which is then the first.
    gpu: device === "cpu" || info.cudaDevices === 1 ? 0 : gpu,
    precision: precision === "auto" ? (hasBf16 ? "bf16" : "fp32") : precision,
  };
}

/**
 * Refuses to train on GPUs together if several processes of a machine would take the same one.
 *
 * @throws {InputError} If there are several GPUs, and the process does not know which is its own.
 */
export function checkOwnGpu(
  device: "cpu" | "cuda",
  group: { readonly worldSize: number; readonly localRank: number | undefined },
  info: Pick<BuildInfo, "cudaDevices">,
): void {
  if (device === "cpu" || group.worldSize === 1 || group.localRank !== undefined || info.cudaDevices < 2) return;
  throw new InputError(
    `Cannot choose among ${info.cudaDevices} GPUs: LOCAL_RANK is not set; start the processes with torchrun, or set ` +
      "LOCAL_RANK to each process's number on its machine, from 0",
  );
}
