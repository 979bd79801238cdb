/**
 * Processes that work together, by libtorch's process groups.
 *
 * @module
 */

import type { Rendezvous } from "./rendezvous.ts";
import { create, Handle } from "./call.ts";
import { type Library, loadLibrary } from "./library.ts";
import { encodeStruct } from "./struct.ts";

/** What processes that work together ask of each other. Each call must be made by all of them, in the same order. */
export interface ProcessGroup {
  /** This process among them, from 0. */
  readonly rank: number;
  /** How many there are. */
  readonly worldSize: number;
  /** Adds each number up over all ranks, in place. */
  allReduce(values: Float64Array<ArrayBuffer>): Promise<void>;
  /** Gives all ranks each one's bytes, by rank. */
  allGather(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>[]>;
  /** Gives all ranks the first one's bytes; what others pass does not matter. */
  broadcast(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

/** Options of {@linkcode Group.join}. */
export interface GroupOptions {
  /**
   * Seconds that other processes are waited for.
   *
   * @default {600}
   */
  readonly timeout?: number;
}

/**
 * This process among those of a group. Dispose it with `using`.
 *
 * @example Joining the processes that torchrun started, where it did
 * ```ts
 * import { Group, readRendezvous } from "@lrcn/lrcn";
 * import assert from "node:assert/strict";
 *
 * const place = readRendezvous((name) => Deno.env.get(name));
 * using group = place && await Group.join(place);
 * assert.equal(group?.size, undefined); // started alone, it has none to join
 * ```
 */
export class Group implements ProcessGroup, Disposable {
  /** This process, from 0. */
  readonly rank: number;
  /** How many there are. */
  readonly worldSize: number;
  /** This process among those of its machine, from 0. */
  readonly localRank: number;
  readonly #library: Library;
  readonly #handle: Handle;

  private constructor(library: Library, handle: Handle, { rank, worldSize, localRank }: Rendezvous) {
    this.#library = library;
    this.#handle = handle;
    this.rank = rank;
    this.worldSize = worldSize;
    this.localRank = localRank;
  }

  /**
   * Joins a group, once all its processes have come.
   *
   * @param place Where they meet.
   * @param options See {@linkcode GroupOptions}.
   * @returns The group, to be disposed.
   * @throws {InputError} If one does not come in time; the message says which.
   */
  static async join(place: Rendezvous, options: GroupOptions = {}): Promise<Group> {
    const library = loadLibrary();
    const struct = encodeStruct("lrcn_group_options", {
      rank: place.rank,
      world_size: place.worldSize,
      port: place.port,
      hosted: place.hosted ? 1 : 0,
      timeout: options.timeout ?? 600,
      address: place.address,
      prefix: place.prefix,
    });
    const pointer = await create(
      "join the other processes",
      (status, message) => library.symbols.lrcn_group_create(struct, status, message, message.length),
    );
    return new Group(library, new Handle("group", pointer, library.symbols.lrcn_group_destroy), place);
  }

  /** Adds each number up over all ranks, in place. */
  async allReduce(values: Float64Array<ArrayBuffer>): Promise<void> {
    await this.#run((group, message) =>
      this.#library.symbols.lrcn_group_all_reduce(group, values, BigInt(values.length), message, message.length)
    );
  }

  /** Gives all ranks each one's bytes, by rank. */
  async allGather(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>[]> {
    const lengths = new BigInt64Array(this.worldSize);
    await this.#run((group, message) =>
      this.#library.symbols.lrcn_group_all_gather(
        group,
        bytes,
        BigInt(bytes.length),
        lengths,
        lengths.length,
        message,
        message.length,
      )
    );
    const all = await this.#gathered(lengths.reduce((sum, length) => sum + length, 0n));
    let at = 0;
    return Array.from(lengths, (length) => all.slice(at, at += Number(length)));
  }

  /** Gives all ranks the first one's bytes. */
  async broadcast(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const length = new BigInt64Array(1);
    await this.#run((group, message) =>
      this.#library.symbols.lrcn_group_broadcast(group, bytes, BigInt(bytes.length), length, message, message.length)
    );
    return await this.#gathered(length[0] ?? 0n);
  }

  /**
   * Says why this process ends, for the others' messages.
   *
   * @param reason A line.
   */
  async leave(reason: string): Promise<void> {
    const text = new TextEncoder().encode(`${reason}\0`);
    await this.#run((group, message) => this.#library.symbols.lrcn_group_leave(group, text, message, message.length));
  }

  /** Makes a native call with the group. */
  use<Result>(call: (group: Deno.PointerObject) => Promise<Result>): Promise<Result> {
    return this.#handle.use(call);
  }

  /** Leaves the group. */
  [Symbol.dispose](): void {
    this.#handle[Symbol.dispose]();
  }

  async #gathered(length: bigint): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(Number(length));
    await this.#run((group, message) =>
      Promise.resolve(
        this.#library.symbols.lrcn_group_gathered(group, bytes, length, message, message.length),
      )
    );
    return bytes;
  }

  #run(call: (group: Deno.PointerObject, message: Uint8Array<ArrayBuffer>) => Promise<number>): Promise<void> {
    return this.#handle.run("go on with the other processes", call);
  }
}
