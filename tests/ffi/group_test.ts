import assert from "node:assert/strict";
import type { Rendezvous } from "../../src/distributed/rendezvous.ts";
import { canStartRanks, placesOf, startRank } from "./start_ranks.ts";

/** What a process of a group is told. */
export interface GroupTask {
  /** Its place. */
  readonly place: Rendezvous;
  /** Seconds that others are waited for. */
  readonly timeout: number;
  /** How the last process ends. */
  readonly end: "done" | "killed" | "hanging" | "leaving";
}

const ignore = !canStartRanks;

/** Runs processes, and gives what each printed; a hanging one is killed when the others have ended. */
async function run(places: readonly Rendezvous[], task: Omit<GroupTask, "place">): Promise<string[][]> {
  const processes = places.map((place) => startRank("group_process.ts", { ...task, place }));
  const outputs = processes.map(async (process) => {
    const { stdout, stderr } = await process.output();
    const [printed = "", problem = ""] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assert.equal(problem, "");
    return printed.trimEnd().split("\n");
  });
  if (task.end === "hanging") {
    await Promise.all(outputs.slice(0, -1));
    processes.at(-1)?.kill("SIGKILL");
  }
  return await Promise.all(outputs);
}

Deno.test({
  name: "a group adds up, gathers parts of any lengths, and sends what the first has",
  ignore,
  async fn() {
    for (const lines of await run(placesOf(3), { timeout: 30, end: "done" })) {
      assert.deepEqual(lines.map((line) => JSON.parse(line)), [[[3, 3], [[], [1], [2, 2]], [7, 0]]]);
    }
  },
});

for (
  const [end, pattern] of [
    ["killed", /^Cannot go on with the other processes: rank 2 does not answer$/],
    ["hanging", /^Cannot go on with the other processes: rank 2 does not answer$/],
    ["leaving", /^Cannot go on with the other processes: rank 2 ended: Cannot read 'photo\.jpg'$/],
  ] as const
) {
  Deno.test({
    name: `a process that is ${end} is named by all others in time`,
    ignore,
    async fn() {
      const [first, second] = await run(placesOf(3), { timeout: 3, end });
      for (const lines of [first, second]) assert.match(lines?.[1] ?? "", pattern);
    },
  });
}

Deno.test({
  name: "a process that does not come is named, and so is a store that is not there",
  ignore,
  async fn() {
    const places = placesOf(3);
    for (const lines of await run(places.slice(0, 2), { timeout: 2, end: "done" })) {
      assert.deepEqual(lines, ["Cannot join the other processes: rank 2 has not come within 2 s"]);
    }
    const [lines] = await run(placesOf(2).slice(1), { timeout: 2, end: "done" });
    assert.match(
      lines?.[0] ?? "",
      /^Cannot join the other processes: the store at 127\.0\.0\.1:\d+ cannot be reached: /,
    );
  },
});
