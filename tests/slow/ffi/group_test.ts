import assert from "node:assert/strict";
import type { Rendezvous } from "../../../src/ffi/rendezvous.ts";
import { canStartRanks, rendezvousOf, startRank } from "./start_ranks.ts";

/** The task of a process. */
export interface GroupTask {
  /** Its rank and world size. */
  readonly rendezvous: Rendezvous;
  /** Timeout in seconds. */
  readonly timeout: number;
  /** How a process ends. */
  readonly end: "done" | "killed" | "stopped" | "hanging" | "ended";
  /** The rank that ends; the others continue. */
  readonly ending: number;
}

const ignore = !canStartRanks;

/** No process ends before it is done. */
const NOBODY = { end: "done", ending: -1 } as const;

/** Runs processes and returns their output; one that hangs is killed once the others have ended. */
async function run(members: readonly Rendezvous[], task: Omit<GroupTask, "rendezvous">): Promise<string[][]> {
  const processes = members.map((rendezvous) => startRank("group_process.ts", { ...task, rendezvous }));
  const outputs = processes.map(async (process) => {
    const { stdout, stderr } = await process.output();
    const [printed = "", problem = ""] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assert.equal(problem, "");
    return printed.trimEnd().split("\n");
  });
  if (task.end === "hanging" || task.end === "stopped") {
    await Promise.all(outputs.filter((_, rank) => rank !== task.ending));
    processes[task.ending]?.kill("SIGKILL");
  }
  return await Promise.all(outputs);
}

Deno.test({
  name: "a group reduces, gathers parts of any lengths, and broadcasts from rank 0",
  ignore,
  async fn() {
    for (const lines of await run(rendezvousOf(3), { timeout: 30, ...NOBODY })) {
      assert.deepEqual(lines.map((line) => JSON.parse(line)), [[[3, 3], [[], [1], [2, 2]], [7, 0]]]);
    }
  },
});

const FAILED =
  /^Cannot continue with the other processes: another process has ended or does not answer \((.+)\); see its output$/;

for (
  const [size, end, ending] of [
    // Of five, two do not communicate with the missing one.
    [5, "killed", 2],
    [5, "ended", 2],
    [3, "stopped", 2],
    [3, "hanging", 2],
    [3, "killed", 0],
    [3, "stopped", 0],
    [3, "ended", 0],
  ] as const
) {
  Deno.test({
    name: `of ${size} processes all others end with one line if rank ${ending} is ${end}`,
    ignore,
    async fn() {
      const alive = end === "stopped" || end === "hanging";
      const outputs = await run(rendezvousOf(size), { timeout: alive ? 3 : 60, end, ending });
      const reasons = outputs.filter((_, rank) => rank !== ending).map(([, ...said]) => {
        assert.equal(said.length, 1);
        return FAILED.exec(said[0] ?? "")?.[1] ?? assert.fail(said[0]);
      });
      // A process that ends closes its connections; one that does not is noticed by the timeout alone. Whether a read
      // or a write fails first, and with which of Gloo's messages, is chance; each names the other process's address.
      const wait = /^Timed out waiting 3000ms for \w+ operation to complete$/;
      if (alive) assert(reasons.some((reason) => wait.test(reason)), reasons.join("; "));
      else {
        for (const reason of reasons) {
          assert.doesNotMatch(reason, /timed? ?out/i);
          assert.match(reason, /^(?:Connection|Socket|Read error|writev) .*\[127\.0\.0\.1\]:\d+/);
        }
      }
    },
  });
}

Deno.test({
  name: "a process that does not join is named, and a missing store",
  ignore,
  async fn() {
    const waiting = { timeout: 2, ...NOBODY };
    for (const lines of await run(rendezvousOf(3).slice(0, 2), waiting)) {
      assert.deepEqual(lines, ["Cannot join the other processes: rank 2 has not joined within 2 s"]);
    }
    for (const lines of await run(rendezvousOf(4).slice(0, 2), waiting)) {
      assert.deepEqual(lines, ["Cannot join the other processes: rank 2, rank 3 have not joined within 2 s"]);
    }
    const [lines] = await run(rendezvousOf(2).slice(1), waiting);
    assert.match(
      lines?.[0] ?? "",
      /^Cannot join the other processes: the store at 127\.0\.0\.1:\d+ cannot be reached: /,
    );
  },
});

Deno.test({
  name: "processes with different world sizes are refused, and two with the same rank",
  ignore,
  async fn() {
    const [first, second] = rendezvousOf(2);
    assert(first !== undefined && second !== undefined);
    const [, told] = await run([first, { ...second, worldSize: 3 }], { timeout: 5, ...NOBODY });
    assert.deepEqual(told, ["Cannot join the other processes: rank 0 expects 2 processes, and rank 1 expects 3"]);

    const [one, two] = rendezvousOf(3);
    assert(one !== undefined && two !== undefined);
    const lines = await run([one, two, two], { timeout: 5, ...NOBODY });
    const twice =
      "Cannot join the other processes: another process has joined as rank 1, now or in a former run with the same store";
    assert(lines.slice(1).flat().includes(twice), lines.flat().join("; "));
  },
});
