import assert from "node:assert/strict";
import type { Rendezvous } from "../../src/ffi/rendezvous.ts";
import { canStartRanks, placesOf, startRank } from "./start_ranks.ts";

/** What a process of a group is told. */
export interface GroupTask {
  /** Its place. */
  readonly place: Rendezvous;
  /** Seconds that others are waited for. */
  readonly timeout: number;
  /** How a process ends. */
  readonly end: "done" | "killed" | "stopped" | "hanging" | "leaving";
  /** Which one; the others go on. */
  readonly ending: number;
}

const ignore = !canStartRanks;

/** No process ends before it is done. */
const NOBODY = { end: "done", ending: -1 } as const;

/** Runs processes, and gives what each printed; one that hangs is killed when the others have ended. */
async function run(places: readonly Rendezvous[], task: Omit<GroupTask, "place">): Promise<string[][]> {
  const processes = places.map((place) => startRank("group_process.ts", { ...task, place }));
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
  name: "a group adds up, gathers parts of any lengths, and sends what the first has",
  ignore,
  async fn() {
    for (const lines of await run(placesOf(3), { timeout: 30, ...NOBODY })) {
      assert.deepEqual(lines.map((line) => JSON.parse(line)), [[[3, 3], [[], [1], [2, 2]], [7, 0]]]);
    }
  },
});

const KEEPER = String.raw`rank 0, which keeps the store at 127\.0\.0\.1:\d+, does not answer`;

for (
  const [size, end, ending, missing] of [
    // Of five, two have nothing to do with the one that is gone.
    [5, "killed", 2, "rank 2 does not answer"],
    [5, "leaving", 2, String.raw`rank 2 ended: Cannot read 'photo\.jpg'`],
    [3, "stopped", 2, "rank 2 does not answer"],
    [3, "hanging", 2, "rank 2 does not answer"],
    [3, "killed", 0, KEEPER],
    [3, "stopped", 0, KEEPER],
    [3, "leaving", 0, String.raw`rank 0 ended: Cannot read 'photo\.jpg'`],
  ] as const
) {
  Deno.test({
    name: `of ${size} processes number ${ending}, ${end}, is named by all others in time, and no other one is`,
    ignore,
    async fn() {
      const lines = await run(placesOf(size), { timeout: 3, end, ending });
      for (const [rank, [, said]] of lines.entries()) {
        if (rank !== ending) {
          assert.match(said ?? "", new RegExp(`^Cannot go on with the other processes: ${missing}$`));
        }
      }
    },
  });
}

Deno.test({
  name: "a process that does not come is named, and so is a store that is not there",
  ignore,
  async fn() {
    const waiting = { timeout: 2, ...NOBODY };
    for (const lines of await run(placesOf(3).slice(0, 2), waiting)) {
      assert.deepEqual(lines, ["Cannot join the other processes: rank 2 has not come within 2 s"]);
    }
    for (const lines of await run(placesOf(4).slice(0, 2), waiting)) {
      assert.deepEqual(lines, ["Cannot join the other processes: rank 2, rank 3 have not come within 2 s"]);
    }
    const [lines] = await run(placesOf(2).slice(1), waiting);
    assert.match(
      lines?.[0] ?? "",
      /^Cannot join the other processes: the store at 127\.0\.0\.1:\d+ cannot be reached: /,
    );
  },
});

Deno.test({
  name: "processes that were told of different numbers are refused, and so are two of one rank",
  ignore,
  async fn() {
    const [first, second] = placesOf(2);
    assert(first !== undefined && second !== undefined);
    const [, told] = await run([first, { ...second, worldSize: 3 }], { timeout: 5, ...NOBODY });
    assert.deepEqual(told, ["Cannot join the other processes: rank 0 was told of 2 processes, and rank 1 of 3"]);

    const [one, two] = placesOf(3);
    assert(one !== undefined && two !== undefined);
    const lines = await run([one, two, two], { timeout: 5, ...NOBODY });
    const twice =
      "Cannot join the other processes: another process has come as rank 1, now or in a former run by the same store";
    assert(lines.slice(1).flat().includes(twice), lines.flat().join("; "));
  },
});
