/**
 * Tasks that run as several processes, as PyTorch's torchrun starts them.
 *
 * @module
 */

import type { Command } from "commander";
import { z } from "zod";
import { SINGLE_PROCESS, type TrainingGroup } from "../distributed/process_group.ts";
import { readRendezvous } from "../ffi/rendezvous.ts";
import { Group } from "../ffi/group.ts";
import { wholeNumber } from "./command.ts";

const schema = z.object({ timeout: z.number().default(600) });

/**
 * Adds `--timeout`.
 *
 * @param command The command.
 * @returns The command.
 */
export function addRanksOptions(command: Command): Command {
  return command.option(
    "--timeout <n>",
    "of several processes, seconds that each waits for the others (default: 600)",
    wholeNumber(1),
  );
}

/**
 * Works with the processes that were started beside this one, or alone where there are none. If the work fails, the others
 * are told why.
 *
 * @param options What commander parsed.
 * @param work The work.
 * @returns What the work returns.
 * @throws {InputError} If the others cannot be joined.
 */
export async function withProcessGroup<Result>(
  options: Readonly<Record<string, unknown>>,
  work: (group: TrainingGroup) => Promise<Result>,
): Promise<Result> {
  const place = readRendezvous((name) => Deno.env.get(name));
  if (place === undefined || place.worldSize === 1) return await work(SINGLE_PROCESS);
  const { timeout } = schema.parse(options);
  using group = await Group.join(place, { timeout });
  try {
    return await work({
      ...{ rank: group.rank, worldSize: group.worldSize, localRank: group.localRank, restarted: place.restarted },
      allReduce: (values) => group.allReduce(values),
      allGather: (bytes) => group.allGather(bytes),
      broadcast: (bytes) => group.broadcast(bytes),
      join: (engine) => engine.join(group),
    });
  } catch (error) {
    await group.leave(error instanceof Error ? error.message : String(error)).catch(() => {});
    throw error;
  }
}
