import { fileURLToPath } from "node:url";
import type { Rendezvous } from "../../../src/ffi/rendezvous.ts";
import { canRun } from "../../support/test_data.ts";
import { canLoad } from "../../support/native.ts";
import type { RankReport, RankTask } from "./rank_process.ts";

const mayListen = (await Deno.permissions.query({ name: "net", host: "127.0.0.1" })).state === "granted";

/** Whether this environment can start processes that form a group. */
export const canStartRanks: boolean = canLoad && canRun && mayListen;

/** A free port. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Rendezvous of a group on this machine, by rank. */
export function rendezvousOf(size: number): Rendezvous[] {
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

/** Starts a program of this folder with a task. */
export function startRank(name: string, task: unknown): Deno.ChildProcess {
  const program = fileURLToPath(new URL(name, import.meta.url));
  const flags = ["--no-check", "--quiet", "--allow-ffi=native/build/liblrcn.so", "--allow-read"];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, program, JSON.stringify(task)],
    cwd: fileURLToPath(new URL("../../..", import.meta.url)),
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs distributed training and returns each rank's results. */
export async function trainTogether(size: number, task: Omit<RankTask, "rendezvous">): Promise<RankReport[]> {
  const all = size === 1 ? [undefined] : rendezvousOf(size);
  return await Promise.all(all.map(async (rendezvous) => {
    const { code, stdout, stderr } = await startRank("rank_process.ts", { ...task, rendezvous }).output();
    const [printed, problem] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    if (code !== 0 || problem !== "") throw new Error(`rank ${rendezvous?.rank} ended with ${code}: ${problem}`);
    return JSON.parse(printed ?? "");
  }));
}
