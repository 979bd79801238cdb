import { InputError } from "../input_error.ts";

/** How a process finds its group: the variables that torchrun sets. */
export interface Rendezvous {
  /** Rank of this process, from 0. */
  readonly rank: number;
  /** Number of processes. */
  readonly worldSize: number;
  /** Rank of this process on its machine, from 0; undefined if `LOCAL_RANK` is not set. */
  readonly localRank: number | undefined;
  /** Host of the store. */
  readonly address: string;
  /** Port of the store. */
  readonly port: number;
  /** Whether torchrun hosts the store, so that rank 0 need not. */
  readonly hosted: boolean;
  /** Whether torchrun has restarted the processes. */
  readonly restarted: boolean;
  /** Prefix of this run's keys in the store. */
  readonly prefix: string;
}

/** The environment variables that are read. */
export const RENDEZVOUS_VARIABLES = [
  "RANK",
  "WORLD_SIZE",
  "LOCAL_RANK",
  "MASTER_ADDR",
  "MASTER_PORT",
  "TORCHELASTIC_USE_AGENT_STORE",
  "TORCHELASTIC_RESTART_COUNT",
  "TORCHELASTIC_RUN_ID",
] as const;

/**
 * Reads the variables that torchrun sets.
 *
 * @returns undefined for a single process.
 * @throws {InputError} If some are set and others missing, or one is invalid.
 *
 * @example The second of two processes
 * ```ts
 * import { readRendezvous } from "@lrcn/lrcn/engine";
 * import assert from "node:assert/strict";
 *
 * const variables = new Map([["RANK", "1"], ["WORLD_SIZE", "2"], ["MASTER_ADDR", "node0"], ["MASTER_PORT", "29500"]]);
 * const rendezvous = readRendezvous((name) => variables.get(name));
 * assert.deepEqual([rendezvous?.rank, rendezvous?.worldSize, rendezvous?.address], [1, 2, "node0"]);
 * ```
 */
export function readRendezvous(variable: (name: string) => string | undefined): Rendezvous | undefined {
  const [rank, worldSize] = [variable("RANK"), variable("WORLD_SIZE")];
  if (rank === undefined && worldSize === undefined) return undefined;
  const whole = (name: string, least: number): number => {
    const text = variable(name);
    const value = Number(text);
    if (text !== undefined && /^\d+$/.test(text) && value >= least) return value;
    throw new InputError(
      `Cannot join other processes: ${name} is ${
        text ?? "not set"
      }; start them with torchrun, or set RANK, WORLD_SIZE, ` +
        "MASTER_ADDR and MASTER_PORT, or none of them",
    );
  };
  const address = variable("MASTER_ADDR") ?? "";
  const rendezvous = {
    rank: whole("RANK", 0),
    worldSize: whole("WORLD_SIZE", 1),
    localRank: variable("LOCAL_RANK") === undefined ? undefined : whole("LOCAL_RANK", 0),
    port: whole("MASTER_PORT", 1),
    address,
    restarted: !["0", undefined].includes(variable("TORCHELASTIC_RESTART_COUNT")),
    hosted: variable("TORCHELASTIC_USE_AGENT_STORE") === "True",
    prefix: `lrcn/${variable("TORCHELASTIC_RUN_ID") ?? ""}`,
  };
  if (address === "") throw new InputError("Cannot join other processes: MASTER_ADDR is not set");
  if (rendezvous.rank >= rendezvous.worldSize) {
    throw new InputError(
      `Cannot join other processes: RANK ${rendezvous.rank} is not below WORLD_SIZE ${rendezvous.worldSize}`,
    );
  }
  return rendezvous;
}
