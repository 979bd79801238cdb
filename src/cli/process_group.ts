import type { Command } from "commander";
import { z } from "zod";
import { SINGLE_PROCESS, type TrainingGroup } from "../distributed/process_group.ts";
import { readRendezvous } from "../ffi/rendezvous.ts";
import { Group } from "../ffi/group.ts";
import { wholeNumber } from "./command.ts";

const schema = z.object({ timeout: z.number().default(600) });

export function addProcessGroupOptions(command: Command): Command {
  return command.option(
    "--timeout <n>",
    "with several processes, seconds to wait for the others (default: 600)",
    wholeNumber(1),
  );
}

/**
 * Runs `work` in the process group that torchrun started, or alone if there is none. If it fails, the other processes fail
 * in their next collective.
 *
 * @throws {InputError} If the group cannot be joined.
 */
export async function withProcessGroup<Result>(
  options: Readonly<Record<string, unknown>>,
  work: (group: TrainingGroup) => Promise<Result>,
): Promise<Result> {
  const rendezvous = readRendezvous((name) => Deno.env.get(name));
  if (rendezvous === undefined || rendezvous.worldSize === 1) return await work(SINGLE_PROCESS);
  const { timeout } = schema.parse(options);
  using group = await Group.join(rendezvous, { timeout });
  return await work({
    rank: group.rank,
    worldSize: group.worldSize,
    localRank: group.localRank,
    restarted: rendezvous.restarted,
    allReduce: (values) => group.allReduce(values),
    allGather: (bytes) => group.allGather(bytes),
    broadcast: (bytes) => group.broadcast(bytes),
    join: (engine) => engine.join(group),
  });
}
