import { type Command, Option } from "commander";
import { z } from "zod";
import type { EngineOptions } from "../ffi/settings.ts";
import { wholeNumber } from "./command.ts";

const DEVICES = ["auto", "cpu", "cuda"] as const;
const PRECISIONS = ["auto", "fp32", "fp32-strict", "bf16", "fp64"] as const;

/** The zod shape of these options, for schemas that include them. */
export const ENGINE_SHAPE = {
  device: z.enum(DEVICES).optional(),
  precision: z.enum(PRECISIONS).optional(),
  threads: z.number().optional(),
};

const schema = z.object(ENGINE_SHAPE);

export function addEngineOptions(command: Command): Command {
  return command
    .addOption(new Option("--device <name>", "device (default: auto)").choices(DEVICES))
    .addOption(new Option("--precision <name>", "numeric precision (default: auto)").choices(PRECISIONS))
    .option(
      "--threads <n>",
      "CPU threads; 0 for libtorch's choice, within a container's CPU quota (default: 0)",
      wholeNumber(0),
    );
}

export function parseEngineOptions(
  options: Readonly<Record<string, unknown>>,
): Pick<EngineOptions, "device" | "precision" | "threads"> {
  const { device, precision, threads } = schema.parse(options);
  return {
    ...(device !== undefined && { device }),
    ...(precision !== undefined && { precision }),
    ...(threads !== undefined && { threads }),
  };
}
