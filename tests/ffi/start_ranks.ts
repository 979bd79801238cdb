/**
 * Processes that train together, for tests.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { Rendezvous } from "../../src/ffi/rendezvous.ts";
import { canRun } from "../support/test_data.ts";
import { canLoad } from "../support/native.ts";
import type { RankReport, RankTask } from "./rank_process.ts";

const mayListen = (await Deno.permissions.query({ name: "net", host: "127.0.0.1" })).state === "granted";

/** Whether processes may be started here that meet each other. */
export const canStartRanks: boolean = canLoad && canRun && mayListen;

/** A port that nothing uses at this moment. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** The places of processes on this machine. */
export function placesOf(size: number): Rendezvous[] {
  const port = freePort();
  return Array.from({ length: size }, (_, rank) => (
    {
      rank,
      worldSize: size,
      localRank: rank,
      address: "127.0.0.1",
      port,
      hosted: false,
      restarted: false,
      prefix: "test/0",
    }
  ));
}

/**
 * Starts a program of this folder.
 *
 * @param name The program's file.
 * @param task What it is told.
 */
export function startRank(name: string, task: unknown): Deno.ChildProcess {
  const program = fileURLToPath(new URL(name, import.meta.url));
  const flags = ["--no-check", "--quiet", "--allow-ffi=native/build/liblrcn.so", "--allow-read"];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, program, JSON.stringify(task)],
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Lets processes train together; gives what came of each. */
export async function trainTogether(size: number, task: Omit<RankTask, "place">): Promise<RankReport[]> {
  const places = size === 1 ? [undefined] : placesOf(size);
  return await Promise.all(places.map(async (place) => {
    const { code, stdout, stderr } = await startRank("rank_process.ts", { ...task, place }).output();
    const [printed, problem] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    if (code !== 0 || problem !== "") throw new Error(`rank ${place?.rank} ended with ${code}: ${problem}`);
    return JSON.parse(printed ?? "");
  }));
}
