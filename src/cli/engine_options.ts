/**
 * The options of every task that computes with a model: where, in which arithmetic, and on how many threads.
 *
 * @module
 */

import { type Command, Option } from "commander";
import { z } from "zod";
import type { EngineOptions } from "../ffi/settings.ts";
import { wholeNumber } from "./command.ts";

const DEVICES = ["auto", "cpu", "cuda"] as const;
const PRECISIONS = ["auto", "fp32", "bf16", "fp64"] as const;

/** What commander makes of the options, to be part of a task's own. */
export const ENGINE_SHAPE = {
  device: z.enum(DEVICES).optional(),
  precision: z.enum(PRECISIONS).optional(),
  threads: z.number().optional(),
};

const schema = z.object(ENGINE_SHAPE);

/**
 * Adds `--device`, `--precision` and `--threads`.
 *
 * @param command The command.
 * @returns The command.
 */
export function addEngineOptions(command: Command): Command {
  return command
    .addOption(new Option("--device <name>", "where to compute (default: auto)").choices(DEVICES))
    .addOption(new Option("--precision <name>", "arithmetic (default: auto)").choices(PRECISIONS))
    .option("--threads <n>", "CPU threads, 0 for libtorch's choice (default: 0)", wholeNumber(0));
}

/**
 * Reads them.
 *
 * @param options What commander parsed.
 * @returns Those that were given.
 */
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
