/**
 * Where processes that work together find each other, as PyTorch's torchrun tells them.
 *
 * @module
 */

import { InputError } from "../input_error.ts";

/** A process's place among those that it works with. */
export interface Rendezvous {
  /** This process, from 0. */
  readonly rank: number;
  /** How many there are. */
  readonly worldSize: number;
  /** This process among those of its machine, from 0. */
  readonly localRank: number;
  /** The machine of the store. */
  readonly address: string;
  /** Its port. */
  readonly port: number;
  /** Whether torchrun keeps the store, so that rank 0 need not. */
  readonly hosted: boolean;
  /** Whether processes of a try before have died. */
  readonly restarted: boolean;
  /** Keeps what is written into the store apart from what others write. */
  readonly prefix: string;
}

/** The variables that are read. */
export const RENDEZVOUS_VARIABLES = [
  ...["RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"],
  ...["TORCHELASTIC_USE_AGENT_STORE", "TORCHELASTIC_RESTART_COUNT", "TORCHELASTIC_RUN_ID"],
] as const;

/**
 * Reads the variables that torchrun sets.
 *
 * @param variable Gives a variable, undefined where it is not set.
 * @returns The place, or undefined for a process by itself.
 * @throws {InputError} If some are set and others missing, or not what they should be.
 *
 * @example The second of two processes
 * ```ts
 * import { readRendezvous } from "@lrcn/lrcn";
 * import assert from "node:assert/strict";
 *
 * const variables = new Map([["RANK", "1"], ["WORLD_SIZE", "2"], ["MASTER_ADDR", "node0"], ["MASTER_PORT", "29500"]]);
 * const place = readRendezvous((name) => variables.get(name));
 * assert.deepEqual([place?.rank, place?.worldSize, place?.address], [1, 2, "node0"]);
 * ```
 */
export function readRendezvous(variable: (name: string) => string | undefined): Rendezvous | undefined {
  const [rank, worldSize] = [variable("RANK"), variable("WORLD_SIZE")];
  if (rank === undefined && worldSize === undefined) return undefined;
  const whole = (name: string, least: number, fallback?: number): number => {
    const text = variable(name);
    if (text === undefined && fallback !== undefined) return fallback;
    const value = Number(text);
    if (text !== undefined && /^\d+$/.test(text) && value >= least) return value;
    throw new InputError(
      `Cannot join other processes: ${name} is ${
        text ?? "not set"
      }; start them by torchrun, or set RANK, WORLD_SIZE, ` +
        "MASTER_ADDR and MASTER_PORT, or none of them",
    );
  };
  const address = variable("MASTER_ADDR") ?? "";
  const place = {
    rank: whole("RANK", 0),
    worldSize: whole("WORLD_SIZE", 1),
    localRank: whole("LOCAL_RANK", 0, 0),
    port: whole("MASTER_PORT", 1),
    address,
    restarted: !["0", undefined].includes(variable("TORCHELASTIC_RESTART_COUNT")),
    hosted: variable("TORCHELASTIC_USE_AGENT_STORE") === "True",
    prefix: `lrcn/${variable("TORCHELASTIC_RUN_ID") ?? ""}`,
  };
  if (address === "") throw new InputError("Cannot join other processes: MASTER_ADDR is not set");
  if (place.rank >= place.worldSize) {
    throw new InputError(`Cannot join other processes: RANK ${place.rank} is not under WORLD_SIZE ${place.worldSize}`);
  }
  return place;
}
