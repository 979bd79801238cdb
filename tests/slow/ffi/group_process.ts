// One process of a group, which ends as the test tells it.

import { Group } from "../../../src/ffi/group.ts";
import type { GroupTask } from "./group_test.ts";

const { rendezvous, timeout, end, ending }: GroupTask = JSON.parse(Deno.args[0] ?? "");
try {
  using group = await Group.join(rendezvous, { timeout });
  const { rank } = group;
  const sums = Float64Array.of(rank, 1);
  // At once: they run in this order on all ranks.
  const [, parts, first] = await Promise.all([
    group.allReduce(sums),
    group.allGather(new Uint8Array(rank).fill(rank)),
    group.broadcast(Uint8Array.of(7, rank)),
  ]);
  console.log(JSON.stringify([[...sums], parts.map((part) => [...part]), [...first]]));
  if (rank === ending) {
    if (end === "killed") Deno.kill(Deno.pid, "SIGKILL");
    if (end === "stopped") Deno.kill(Deno.pid, "SIGSTOP");
    if (end === "hanging") await new Promise((resolve) => setTimeout(resolve, 60_000));
  }
  if (end === "done" || (end === "ended" && rank === ending)) Deno.exit(0);
  await group.allReduce(sums);
} catch (error) {
  console.log(error instanceof Error ? error.message : String(error));
  Deno.exit(1);
}
